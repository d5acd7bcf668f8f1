import { execFileSync } from 'node:child_process';
import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A disk that is small enough to be filled. */
export interface FillableDisk {
  /** Uses up all free space. A second call also uses space that became free since the first. */
  fill(): void;
  /** Frees that space again. */
  makeRoom(): void;
}

/** A separate disk: a tmpfs, which needs Linux and root. */
export interface SmallDisk extends FillableDisk {
  /** Unmounts the disk; its files are lost. */
  remove(): void;
}

/** Why this machine cannot have such a disk, or null. */
export const smallDiskProblem = (): string | null => {
  if (process.platform !== 'linux') return 'it needs Linux, for a disk that can be filled';
  return process.getuid?.() === 0 ? null : 'it needs root, to mount a disk that can be filled';
};

const mounted = new Set<string>();
process.once('exit', () => {
  for (const path of mounted) unmount(path);
});

/** Mounts a disk at `path`, which is created if it is missing. @throws Error if the machine does not allow it */
export const mountSmallDisk = (path: string, megabytes: number): SmallDisk => {
  mkdirSync(path, { recursive: true });
  execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path]);
  mounted.add(path);
  return {
    ...diskAt(path),
    remove() {
      mounted.delete(path);
      unmount(path);
    },
  };
};

/** The disk that is mounted at `path`. */
export const diskAt = (path: string): FillableDisk => {
  const ballast = join(path, 'ballast');
  return {
    fill() {
      const file = openSync(ballast, 'a');
      try {
        for (const size of [1_048_576, 4_096]) writeUntilFull(file, Buffer.alloc(size));
      } finally {
        closeSync(file);
      }
    },
    makeRoom() {
      rmSync(ballast, { force: true });
    },
  };
};

const writeUntilFull = (file: number, piece: Buffer): void => {
  try {
    for (;;) {
      writeSync(file, piece);
      fsyncSync(file);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
};

/** Lazily, because a process may still have a file of the disk open. */
const unmount = (path: string): void => {
  execFileSync('/bin/umount', ['--lazy', path], { stdio: 'ignore' });
};

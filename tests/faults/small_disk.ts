import { execFileSync } from 'node:child_process';
import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** What can be done to a disk that is small enough to be filled. */
export interface FillableDisk {
  /** Takes all that is free, also what became free since the last time. */
  fill(): void;
  /** Gives it back. */
  makeRoom(): void;
}

/** A disk of its own: a tmpfs, which takes Linux and root. */
export interface SmallDisk extends FillableDisk {
  /** Unmounts it; all on it is gone. */
  remove(): void;
}

/** Why there can be none here, or null. */
export const smallDiskProblem = (): string | null => {
  if (process.platform !== 'linux') return 'needs Linux, for a disk that can be filled';
  return process.getuid?.() === 0 ? null : 'needs root, to mount a disk that can be filled';
};

const mounted = new Set<string>();
process.once('exit', () => {
  for (const path of mounted) unmount(path);
});

/** Mounts one at `path`, which is made where it is missing and otherwise hidden. @throws where the machine does not allow it */
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

/** Of a disk that is mounted already. */
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

/** Lazily, as a process may hold a file of it open still. */
const unmount = (path: string): void => {
  execFileSync('/bin/umount', ['--lazy', path], { stdio: 'ignore' });
};

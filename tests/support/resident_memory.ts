import { readFileSync } from 'node:fs';

/** The resident memory of a running process in bytes: now, and its peak so far; NaN on systems without /proc. */
export const residentMemory = (pid: number | undefined): { readonly now: number; readonly peak: number } => {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const bytes = (field: string): number =>
      Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1_024;
    return { now: bytes('VmRSS'), peak: bytes('VmHWM') };
  } catch {
    return { now: Number.NaN, peak: Number.NaN };
  }
};

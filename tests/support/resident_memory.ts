import { readFileSync } from 'node:fs';

/** What a running process holds in memory, now and at most so far, in bytes; NaN where the system does not tell. */
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

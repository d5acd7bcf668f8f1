import { readFileSync } from 'node:fs';

/** The most memory that a running process has held so far, in MB; NaN where the system does not tell. */
export const residentPeakMegabytes = (pid: number | undefined): number => {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Math.round((Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024) / 1_000_000);
  } catch {
    return Number.NaN;
  }
};

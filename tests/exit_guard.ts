/**
 * `node --test --import` loads this into the process of every test file. It ends a process that does not end by itself,
 * and prints what keeps it running. `--test-timeout` cannot do that: it limits each test, not the file. A timer or
 * socket that a test left open keeps the process running after the last test.
 */

/** Longer than any test file takes. */
const LIMIT_MINUTES = 10;

interface Handle {
  readonly is_active: boolean;
  readonly is_referenced: boolean;
}

const end = (): void => {
  const { libuv } = process.report.getReport() as unknown as { libuv: Handle[] };
  const handles = libuv.filter((handle) => handle.is_active && handle.is_referenced);
  const lines = [
    `${process.argv[1]} has not ended after ${LIMIT_MINUTES} minutes. What keeps it:`,
    process.getActiveResourcesInfo().join(', '),
    ...handles.map((handle) => JSON.stringify(handle)),
  ];
  console.error(lines.join('\n'));
  process.exit(1);
};

// `unref`, because a process that can end by itself must not wait for this timer.
setTimeout(end, LIMIT_MINUTES * 60_000).unref();

/**
 * Preloaded into the process of every test file, by `node --test --import`: ends one that does not end, and says what
 * keeps it. `--test-timeout` does not: it limits each test, not the file, which for a timer or socket that was left
 * behind goes on for ever after its last test.
 */

/** Longer than any file takes. */
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

// This timer itself keeps nothing: a file that ends by itself does not wait for it.
setTimeout(end, LIMIT_MINUTES * 60_000).unref();

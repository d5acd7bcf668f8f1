/** `npm run demo`, `tail`, `redrive`, `rebuild`: runs the command that the first argument names. */
import { ConfigError } from '#service_common/config.ts';
import { BrokerError } from '#kafka_common/broker.ts';
import { onStopSignal } from '#service_common/stop_signals.ts';
import { StoreError } from '#service_common/store_error.ts';
import { readArguments } from './arguments.ts';
import { COMMANDS } from './commands.ts';
import { EXIT, type ExitCode, Failure } from './failures.ts';
import { helpOf } from './help.ts';
import { createTerminal } from './terminal.ts';

/** How long an interrupted command may take to clean up. */
const END_MS = 3_000;

const terminal = createTerminal();
const interrupted = new AbortController();
onStopSignal(() => {
  interrupted.abort();
  setTimeout(() => process.exit(EXIT.interrupted), END_MS).unref();
});
// EPIPE: the reader of the output has closed it, as `| head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.failed),
);

const exitCode = await run(process.argv[2] ?? '', process.argv.slice(3));
await terminal.flush();
process.exit(exitCode);

async function run(name: string, args: readonly string[]): Promise<ExitCode> {
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) {
    terminal.note(
      `unknown command ${JSON.stringify(name)}; the commands are ${COMMANDS.map((known) => known.name).join(', ')}`,
    );
    return EXIT.usage;
  }
  try {
    const values = readArguments(command, args);
    if (values === 'help') {
      await terminal.print(helpOf(command));
      return EXIT.done;
    }
    const code = await command.run({ values, terminal, signal: interrupted.signal });
    return interrupted.signal.aborted ? EXIT.interrupted : code;
  } catch (error) {
    if (interrupted.signal.aborted) return EXIT.interrupted;
    const { message, code } = failureOf(error);
    terminal.note(`${name}: ${message}`);
    if (code === EXIT.usage) terminal.note(`npm run ${name} -- --help  shows the options`);
    return code;
  }
}

function failureOf(error: unknown): { message: string; code: ExitCode } {
  if (error instanceof Failure) return { message: error.message, code: error.exitCode };
  if (error instanceof ConfigError) return { message: error.message, code: EXIT.usage };
  if (error instanceof BrokerError) return { message: error.message, code: EXIT.unreachable };
  if (error instanceof StoreError) return { message: error.message, code: EXIT.failed };
  return { message: error instanceof Error ? (error.stack ?? error.message) : String(error), code: EXIT.failed };
}

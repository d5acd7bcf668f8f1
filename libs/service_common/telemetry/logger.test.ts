import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { pino } from 'pino';
import { loggerOptions, MAX_LINE } from './logger.ts';

/** The output of a logger in this process. */
const written = (log: (logger: pino.Logger) => void): string[] => {
  const lines: string[] = [];
  log(pino(loggerOptions('a-service', 'info'), { write: (line: string) => void lines.push(line) }));
  return lines;
};

/** The output of a process that logs one line, without a terminal. */
const output = (format: string): string => {
  const source = `import { createLogger } from './logger.ts';
    const logger = await createLogger('a-service', 'info', '${format}');
    logger.info({ orderId: 'ORD-1' }, 'something');`;
  const cwd = import.meta.dirname;
  return execFileSync(process.execPath, ['--input-type=module', '--eval', source], { cwd, encoding: 'utf8' });
};

describe('a log line', () => {
  test('is JSON, with the time, the level by name, and the service', () => {
    const [line = ''] = written((logger) => logger.info({ orderId: 'ORD-1' }, 'something'));
    const { time, ...rest } = JSON.parse(line) as { time: string };
    assert.deepEqual(rest, { level: 'info', service: 'a-service', orderId: 'ORD-1', msg: 'something' });
    assert.equal(new Date(time).toISOString(), time);
  });

  const LONG = '"\u0000 long'.repeat(10_000);
  for (const [what, log] of [
    ['a long field', (logger) => logger.warn({ text: LONG }, 'too much')],
    ['many fields', (logger) => logger.warn({ list: Array.from({ length: 10_000 }, (_, n) => n) }, 'too much')],
    ['an error of many errors', (logger) => logger.warn({ err: new AggregateError([new Error(LONG)]) }, 'too much')],
    ['a long message', (logger) => logger.warn(`too much: ${LONG}`)],
    ['a long field of a child', (logger) => logger.child({ text: LONG }).warn('too much')],
  ] as const satisfies (readonly [string, (logger: pino.Logger) => void])[]) {
    test(`with ${what} is cut, and is still JSON`, () => {
      const [line = '', ...others] = written(log);
      assert.deepEqual(others, []);
      assert.ok(line.length <= MAX_LINE && line.endsWith('}\n'), `${line.length}`);
      const { level, msg, length } = JSON.parse(line) as { level: string; msg: string; length: number };
      assert.deepEqual([level, msg.slice(0, 8)], ['warn', 'too much']);
      assert.ok(length > MAX_LINE);
    });
  }

  test('is for people if the format says so, and JSON if there is no terminal', () => {
    assert.match(output('pretty'), /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: a-service: something \{"orderId":"ORD-1"\}\n$/);
    for (const format of ['auto', 'json']) assert.equal(JSON.parse(output(format)).orderId, 'ORD-1');
  });
});

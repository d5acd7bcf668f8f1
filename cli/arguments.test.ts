import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readArguments } from './arguments.ts';
import { defineCommand } from './command.ts';
import { EXIT, Failure } from './failures.ts';
import { count, decimal, flag, oneOf, serviceUrl, text } from './options.ts';

const command = defineCommand({
  name: 'some',
  summary: '',
  details: '',
  options: {
    limit: count(1, 10, 5, ''),
    rate: decimal(0.5, 10, 2, ''),
    json: flag(''),
    reason: text('TEXT', ''),
    from: oneOf(['earliest', 'latest'], 'latest', ''),
    url: serviceUrl('Service', 'NO_SUCH_SETTING', 8001),
  },
  found: '',
  examples: [],
  run: async () => EXIT.done,
});

const read = (...args: string[]): unknown => readArguments(command, args);

describe('readArguments', () => {
  test('without arguments, gives the defaults', () => {
    assert.deepEqual(read(), {
      limit: 5,
      rate: 2,
      json: false,
      reason: undefined,
      from: 'latest',
      url: 'http://localhost:8001',
    });
  });

  test('reads a value after a space or an equals sign, even one that begins with dashes', () => {
    assert.deepEqual(
      read('--limit', '7', '--rate=0.5', '--json', '--reason=--x', '--from', 'earliest', '--url=http://a/'),
      {
        limit: 7,
        rate: 0.5,
        json: true,
        reason: '--x',
        from: 'earliest',
        url: 'http://a',
      },
    );
  });

  test('finds --help and -h anywhere, even beside wrong values', () => {
    assert.equal(read('--limit', 'x', '--help'), 'help');
    assert.equal(read('-h'), 'help');
  });

  const wrong: readonly (readonly [args: string[], message: RegExp])[] = [
    [['--lmit', '1'], /unknown option --lmit/],
    [['-x'], /unknown option -x/],
    [['--constructor', '1'], /unknown option --constructor/],
    [['20'], /unexpected argument "20".*npm run some -- --help/],
    [['--', '20'], /unexpected argument "20"/],
    [['--limit'], /--limit needs a value: --limit N/],
    [['--limit', '--json'], /--limit needs a value/],
    [['--limit', '0'], /--limit is "0", but must be a whole number from 1 to 10/],
    [['--limit', '1e1'], /--limit is "1e1", but must/],
    [['--limit', '1', '--limit', '2'], /--limit is given twice/],
    [['--rate', '-1'], /--rate is "-1", but must be a number from 0.5 to 10/],
    [['--rate', 'NaN'], /--rate is "NaN", but must/],
    [['--json=yes'], /--json takes no value/],
    [['--reason', ''], /--reason is "", but must not be empty/],
    [['--from', 'now'], /--from is "now", but must be earliest or latest/],
    [['--url', 'localhost:8001'], /--url is "localhost:8001", but must be an address/],
    [['--url', 'http://a/?b'], /--url .* must be an address/],
  ];
  for (const [args, message] of wrong) {
    test(`refuses ${JSON.stringify(args)} and says what is allowed`, () => {
      assert.throws(
        () => read(...args),
        (error) => error instanceof Failure && error.exitCode === EXIT.usage && message.test(error.message),
      );
    });
  }
});

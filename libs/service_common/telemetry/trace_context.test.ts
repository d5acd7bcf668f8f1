import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { childTraceparent, formatTraceparent, parseSampled, parseTraceparent } from './trace_context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const VALID = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

const partsOf = (traceparent: string): readonly string[] =>
  VALID.exec(traceparent)?.slice(1) ?? assert.fail(`${traceparent} is not valid`);

describe('the trace context of an event', () => {
  test('continues the trace of a valid request with its flags, in a new span', () => {
    for (const flags of ['00', '01', 'ff']) {
      const [trace, span, itsFlags] = partsOf(childTraceparent(`00-${TRACE}-${SPAN}-${flags}`));
      assert.deepEqual([trace, itsFlags], [TRACE, flags]);
      assert.notEqual(span, SPAN);
    }
  });

  const BROKEN: readonly (readonly [string, string | undefined])[] = [
    ['missing', undefined],
    ['empty', ''],
    ['no trace context', 'abc'],
    ['of a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['of a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['in capitals', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['of an invalid version', `ff-${TRACE}-${SPAN}-01`],
    ['too long', `00-${TRACE}-${SPAN}-01-extra`],
    ['given twice', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
    ['followed by a line', `00-${TRACE}-${SPAN}-01\n`],
  ];
  for (const [circumstance, incoming] of BROKEN) {
    test(`starts a new trace, not sampled, if the request's is ${circumstance}`, () => {
      const [trace, , flags] = partsOf(childTraceparent(incoming));
      assert.notEqual(trace, TRACE);
      assert.equal(flags, '00');
    });
  }

  test('is new for every event', () => {
    const contexts = Array.from({ length: 1_000 }, () => partsOf(childTraceparent(undefined)));
    assert.equal(new Set(contexts.map(([trace]) => trace)).size, 1_000);
    assert.equal(new Set(contexts.map(([, span]) => span)).size, 1_000);
  });
});

test('a trace context is read as it was written, and only a recorded one is recorded', () => {
  for (const flags of ['00', '01', '02', '03', 'ff']) {
    const traceparent = `00-${TRACE}-${SPAN}-${flags}`;
    const context = parseTraceparent(traceparent);
    assert.ok(context);
    assert.deepEqual([context.traceId, context.spanId], [TRACE, SPAN]);
    assert.equal(formatTraceparent(context), traceparent);
    assert.equal(parseSampled(traceparent) !== null, ['01', '03', 'ff'].includes(flags), flags);
  }
  assert.equal(parseTraceparent('broken'), null);
  assert.equal(parseSampled(undefined), null);
});

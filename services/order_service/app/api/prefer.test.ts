import assert from 'node:assert/strict';
import { test } from 'node:test';
import { preferredWait } from './prefer.ts';

const CASES: readonly (readonly [prefer: string | string[] | undefined, seconds: number | null])[] = [
  [undefined, null],
  ['', null],
  ['wait=5', 5],
  ['wait=0', 0],
  ['Wait = 5', 5],
  ['wait="5"', 5],
  ['wait=05', 5],
  ['wait=30', 30],
  ['wait=31', 30],
  ['wait=999999999', 30],
  ['respond-async, wait=10', 10],
  ['wait=10;foo=bar, respond-async', 10],
  ['wait=3, wait=7', 3],
  [['respond-async', 'wait=4'], 4],
  ['wait', null],
  ['wait=', null],
  ['wait=-1', null],
  ['wait=1.5', null],
  ['wait=5s', null],
  ['wait="5', null],
  ['await=5', null],
  ['foo; wait=5', null],
  ['wait=9999999999', null],
];

for (const [prefer, seconds] of CASES) {
  test(`Prefer: ${JSON.stringify(prefer)} asks to wait ${seconds === null ? 'not at all' : `${seconds} s`}`, () => {
    assert.equal(preferredWait(prefer), seconds);
  });
}

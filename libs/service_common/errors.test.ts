import assert from 'node:assert/strict';
import { STATUS_CODES } from 'node:http';
import { describe, test } from 'node:test';
import { type ErrorCode, ERRORS, problemBody } from './errors.ts';

describe('the body of an error answer', () => {
  test('has the fields of RFC 9457 and its code, for every code', () => {
    for (const [code, { status, title }] of Object.entries(ERRORS)) {
      assert.deepEqual(problemBody(code as ErrorCode, 'what happened'), {
        type: `urn:order-events:problem:${code}`,
        title,
        status,
        detail: 'what happened',
        code,
      });
    }
  });

  test('has the outcome and the wrong fields if there are any, and never the seconds of Retry-After', () => {
    const errors = [{ field: 'items.0.price', message: 'is missing' }];
    const body = problemBody('KafkaTimeout', 'late', { outcome: 'unknown', errors, retryAfter: 1 });
    assert.deepEqual(Object.keys(body), ['type', 'title', 'status', 'detail', 'code', 'outcome', 'errors']);
    assert.deepEqual([body['outcome'], body['errors']], ['unknown', errors]);
  });
});

test('every error has an error status of HTTP, and a text for people', () => {
  for (const [code, { status, title, meaning }] of Object.entries(ERRORS)) {
    assert.ok(status >= 400 && status < 600 && STATUS_CODES[status] !== undefined, code);
    assert.ok(title.length > 0 && meaning.endsWith('.'), code);
  }
});

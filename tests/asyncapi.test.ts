import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Parser } from '@asyncapi/parser';
import { Compile } from 'typebox/schema';
import { decodeEvent } from '#kafka_common/serdes_json.ts';
import { asyncApiDocument } from '../docs/asyncapi.ts';

interface Message {
  readonly payload: object;
  readonly headers?: object;
  readonly examples: readonly { readonly payload: { order_id?: string }; readonly headers?: object }[];
}

interface Document {
  readonly components: {
    readonly schemas: { readonly EventHeaders: object };
    readonly messages: Readonly<Record<string, Message>>;
  };
}

const text = JSON.stringify(asyncApiDocument());
const { components } = JSON.parse(text) as Document;

describe('the AsyncAPI document', () => {
  test('is valid by its official parser', async () => {
    const { document, diagnostics } = await new Parser().parse(text);
    // 0 is an error, 1 a warning; the others are hints.
    assert.deepEqual(
      diagnostics.filter(({ severity }) => [0, 1].includes(severity)),
      [],
    );
    assert.equal(document?.version(), '3.0.0');
    assert.deepEqual(
      document
        ?.operations()
        .all()
        .map((operation) => operation.id()),
      ['publishOrderEvents', 'applyOrderEvents', 'keepDeadLetters'],
    );
  });

  for (const [name, { payload, headers, examples }] of Object.entries(components.messages)) {
    test(`has a valid example of ${name}, which is read`, () => {
      assert.ok(examples.length > 0);
      for (const example of examples) {
        assert.ok(Compile(payload).Check(example.payload), JSON.stringify(Compile(payload).Errors(example.payload)));
        if (headers !== undefined) assert.ok(Compile(components.schemas.EventHeaders).Check(example.headers));
        if (name === 'DeadLetter') continue;
        const value = Buffer.from(JSON.stringify(example.payload));
        assert.equal(decodeEvent({ key: null, value }).kind, 'event');
      }
    });
  }
});

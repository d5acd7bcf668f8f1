import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Compile } from 'typebox/schema';
import { ERRORS } from '#service_common/errors.ts';
import { cartDocument, orderDocument } from '../docs/openapi.ts';

interface Media {
  readonly schema: object;
  readonly example?: unknown;
  readonly examples?: Record<string, { readonly value: unknown }>;
}

interface Content {
  readonly content?: Record<string, Media>;
  readonly description?: string;
}

interface Parameter {
  readonly name: string;
  readonly description?: string;
  readonly schema: object;
  readonly example?: unknown;
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Content;
  readonly responses: Record<string, Content>;
}

interface Document {
  readonly openapi: string;
  readonly tags: readonly { readonly name: string }[];
  readonly servers: readonly object[];
  readonly paths: Record<string, Record<string, Operation>>;
}

/** The document with each reference replaced by its target. */
const resolved = (document: object): Document => {
  const resolve = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(resolve);
    if (typeof node !== 'object' || node === null) return node;
    const { $ref, ...others } = node as Record<string, unknown>;
    const rest = Object.fromEntries(Object.entries(others).map(([key, value]) => [key, resolve(value)]));
    if (typeof $ref !== 'string') return rest;
    const target = $ref
      .slice(2)
      .split('/')
      .reduce<unknown>((inside, key) => (inside as Record<string, unknown>)[key], document);
    assert.ok(target !== undefined, `${$ref} is missing`);
    const there = resolve(target) as object;
    return Object.keys(rest).length === 0 ? there : { allOf: [there, rest] };
  };
  return resolve(document) as Document;
};

const mediaOf = ({ requestBody, responses }: Operation): [string, Media][] =>
  [['body', requestBody] as const, ...Object.entries(responses)].flatMap(([place, part]) =>
    Object.values(part?.content ?? {}).map((media): [string, Media] => [place, media]),
  );

const examplesOf = ({ example, examples }: Media): unknown[] => [
  ...(example === undefined ? [] : [example]),
  ...Object.values(examples ?? {}).map(({ value }) => value),
];

for (const [name, given] of [
  ['Cart Service', await cartDocument()],
  ['Order Service', await orderDocument()],
] as const) {
  const document = resolved(given);
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ label: `${method} ${path}`, operation })),
  );

  describe(`the OpenAPI document of the ${name}`, () => {
    test('is of version 3.1 and has the URLs of the service', () => {
      assert.equal(document.openapi, '3.1.0');
      assert.ok(document.servers.length > 0);
    });

    test('gives each operation a unique name, a summary, and described tags and parameters', () => {
      const ids = operations.map(({ operation }) => operation.operationId);
      assert.equal(new Set(ids).size, ids.length, ids.join(', '));
      const tags = new Set(document.tags.map((tag) => tag.name));
      for (const { label, operation } of operations) {
        assert.match(operation.operationId, /^[a-z][A-Za-z]+$/, label);
        assert.ok(operation.summary.length > 0, label);
        assert.ok(operation.tags.length > 0 && operation.tags.every((tag) => tags.has(tag)), label);
        for (const parameter of operation.parameters ?? [])
          assert.ok(parameter.description, `${label} ${parameter.name}`);
      }
    });

    test('describes each answer, with a valid example', () => {
      for (const { label, operation } of operations) {
        for (const [status, { description }] of Object.entries(operation.responses)) {
          assert.ok(description !== undefined && description !== 'Default Response', `${label} ${status}`);
        }
        for (const [place, media] of mediaOf(operation)) {
          const examples = examplesOf(media);
          assert.ok(examples.length > 0, `${label} ${place} has no example`);
          for (const example of examples) {
            const [valid, errors] = Compile(media.schema).Errors(example);
            assert.ok(valid, `${label} ${place}: ${JSON.stringify(example)} ${JSON.stringify(errors)}`);
          }
        }
      }
    });

    test('shows each problem under its code, with its status', () => {
      for (const { label, operation } of operations) {
        for (const [status, { content }] of Object.entries(operation.responses)) {
          const examples = content?.['application/problem+json']?.examples ?? {};
          for (const [code, { value }] of Object.entries(examples)) {
            assert.equal((value as { code: string }).code, code);
            assert.equal(String(ERRORS[code as keyof typeof ERRORS].status), status, label);
          }
        }
      }
    });
  });
}

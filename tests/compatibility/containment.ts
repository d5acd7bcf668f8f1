import fc from 'fast-check';
import { Compile } from 'typebox/schema';

/** A JSON Schema, with the keywords that the schemas of the events use. */
export interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

/** Patterns cannot be compared, so texts that match one pattern are tried on the other. */
const PATTERN_SAMPLES = { numRuns: 200, seed: 1 };

const LOWER = ['minimum', 'minLength', 'minItems'] as const;
const UPPER = ['maximum', 'maxLength', 'maxItems'] as const;
type Bound = (typeof LOWER | typeof UPPER)[number];

/** The values that `writer` allows and `reader` refuses, in words. Empty if `reader` accepts all of them. */
export const whatIsNotRead = (writer: Schema, reader: Schema, path = 'value'): string[] => {
  const values = valuesOf(writer);
  if (values !== null) {
    const accepts = Compile(reader as object);
    const refused = values.filter((value) => !accepts.Check(value));
    return refused.length === 0 ? [] : [`${path} can be ${refused.map((value) => JSON.stringify(value)).join(', ')}`];
  }
  if (valuesOf(reader) !== null) return [`${path} can be anything but a few values`];
  if (!isTypeRead(writer.type, reader.type)) return [`${path} is ${writer.type}, not ${reader.type}`];
  return [
    ...LOWER.filter((word) => (writer[word] ?? -Infinity) < (reader[word] ?? -Infinity)).map((word) =>
      bound(path, writer, reader, word),
    ),
    ...UPPER.filter((word) => (writer[word] ?? Infinity) > (reader[word] ?? Infinity)).map((word) =>
      bound(path, writer, reader, word),
    ),
    ...patternBreach(writer, reader, path),
    ...(reader.items === undefined ? [] : whatIsNotRead(writer.items ?? {}, reader.items, `${path}[]`)),
    ...fieldBreaches(writer, reader, path),
  ];
};

const valuesOf = (schema: Schema): readonly unknown[] | null =>
  schema.enum ?? ('const' in schema ? [schema.const] : null);

const isTypeRead = (written: string | undefined, read: string | undefined): boolean =>
  read === undefined || written === read || (written === 'integer' && read === 'number');

const bound = (path: string, writer: Schema, reader: Schema, word: Bound): string =>
  `${path} has the ${word} ${writer[word] ?? 'none'}, not ${reader[word]}`;

const patternBreach = ({ pattern }: Schema, reader: Schema, path: string): string[] => {
  if (reader.pattern === undefined || reader.pattern === pattern) return [];
  if (pattern === undefined) return [`${path} can be any text`];
  const expected = new RegExp(reader.pattern);
  const refused = fc
    .sample(fc.stringMatching(new RegExp(pattern)), PATTERN_SAMPLES)
    .find((text) => !expected.test(text));
  return refused === undefined ? [] : [`${path} can be ${JSON.stringify(refused)}`];
};

const fieldBreaches = (writer: Schema, reader: Schema, path: string): string[] => [
  ...(reader.required ?? [])
    .filter((field) => !writer.required?.includes(field))
    .map((field) => `${path}.${field} can be missing`),
  ...Object.entries(reader.properties ?? {}).flatMap(([field, schema]) => {
    const written = writer.properties?.[field];
    return written === undefined ? [] : whatIsNotRead(written, schema, `${path}.${field}`);
  }),
];

import { isDeepStrictEqual } from 'node:util';

/**
 * Names the schemas of an OpenAPI document, so that clients made from it have types with names: each that has a `title`
 * moves to `schemas` under it, and a reference takes its place.
 * @throws where two different schemas have one title
 */
export const withNamedSchemas = <T>(node: T, schemas: Record<string, object>): T => {
  if (Array.isArray(node)) return node.map((element: unknown) => withNamedSchemas(element, schemas)) as T;
  if (typeof node !== 'object' || node === null) return node;
  const copy = Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, isExample(key) ? value : withNamedSchemas(value, schemas)]),
  );
  const { title, ...schema } = copy;
  if (typeof title !== 'string') return copy as T;
  const known = schemas[title];
  if (known !== undefined && !isDeepStrictEqual(known, schema)) throw new Error(`two schemas are called ${title}`);
  schemas[title] = schema;
  return { $ref: `#/components/schemas/${title}` } as T;
};

/** What is below it is data, where a `title` names nothing. */
const isExample = (key: string): boolean => ['example', 'examples', 'default', 'const', 'enum'].includes(key);

import { isDeepStrictEqual } from 'node:util';

/**
 * Names the schemas of an OpenAPI document, so that generated clients have types with names. Each schema with a `title`
 * moves to `schemas` under that title, and a reference takes its place.
 * @throws if two different schemas have one title
 */
export const withNamedSchemas = <T>(node: T, schemas: Record<string, object>): T => {
  if (Array.isArray(node)) return node.map((element: unknown) => withNamedSchemas(element, schemas)) as T;
  if (typeof node !== 'object' || node === null) return node;
  const copy = Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, isData(key) ? value : withNamedSchemas(value, schemas)]),
  );
  const { title, ...schema } = copy;
  if (typeof title !== 'string') return copy as T;
  const known = schemas[title];
  if (known !== undefined && !isDeepStrictEqual(known, schema)) throw new Error(`two schemas are called ${title}`);
  schemas[title] = schema;
  return { $ref: `#/components/schemas/${title}` } as T;
};

/** Below these keys there is data. A `title` in it is not the name of a schema. */
const isData = (key: string): boolean => ['example', 'examples', 'default', 'const', 'enum'].includes(key);

import Type, { type Static, type TObject, type TOptional, type TSchema } from 'typebox';
import { type SnakeCase, snakeCase } from './snake_case.ts';

/**
 * What is made of a description of fields: types, schemas, readers and writers. `models.ts` describes the order in the
 * kinds of fields that `field_kinds.ts` has.
 */

/** One field: its schema in each place where it stands, and how its value differs between JSON and the program. */
export interface Field {
  /** In the event of any producer. */
  readonly accepted: TSchema;
  /** In the event of the Cart Service. All that it allows, `accepted` allows too. */
  readonly written: TSchema;
  /** In the body of `create-order`. */
  readonly requested: TSchema;
  /** In the answers of the Order Service. */
  readonly shown: TSchema;
  /**
   * The value of an event as the program holds it. Left out if both are the same.
   * @param exponent the decimals of the order's currency
   * @throws InvalidEvent
   */
  readonly read?: (json: never, exponent: number, name: string) => unknown;
  /** The reverse of `read`. */
  readonly write?: (value: never, exponent: number, place: 'written' | 'shown') => unknown;
  /** May an object be without it? */
  readonly isOptional?: true;
  /** May the client of `create-order` give it? */
  readonly isFromClient?: true;
}

export type Fields = Readonly<Record<string, Field>>;

type Place = 'accepted' | 'written' | 'requested' | 'shown';

/** The value of a field as the program holds it. */
type ValueOf<F extends Field> = F extends { readonly read: (...json: never[]) => infer Value }
  ? Value
  : Static<F['accepted']>;

type Optional<F extends Fields> = { [K in keyof F]: F[K] extends { isOptional: true } ? K : never }[keyof F];
type Merged<T> = { [K in keyof T]: T[K] };

/** An object of these fields as the program holds it. */
export type ObjectOf<F extends Fields> = Merged<
  { readonly [K in Exclude<keyof F, Optional<F>>]: ValueOf<F[K]> } & {
    readonly [K in Optional<F>]?: ValueOf<F[K]>;
  }
>;

/** The schemas of these fields in one place, under the names that they have there. */
export type PropertiesOf<F extends Fields, P extends Place> = {
  [K in keyof F & string as P extends 'shown' ? K : SnakeCase<K>]: F[K][P];
};

/** An object of these fields as JSON. */
export type JsonOf<F extends Fields, P extends Place> = Static<TObject<PropertiesOf<F, P>>>;

const nameIn = (place: Place, name: string): string => (place === 'shown' ? name : snakeCase(name));

export const propertiesOf = <F extends Fields, P extends Place>(fields: F, place: P) =>
  Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [nameIn(place, name), field[place]]),
  ) as PropertiesOf<F, P>;

type Convert = (source: unknown, exponent: number) => unknown;

/**
 * A function that makes an object from another one, field by field. Its code is generated once, as the code of the
 * validators is: a loop over the fields takes several times as long, and each order of each request goes through here.
 */
const converter = (fields: Fields, by: 'read' | 'write', namesFor: (name: string) => Names): Convert => {
  const parts = Object.entries(fields).map(([name, field]) => {
    const { from, to, argument } = namesFor(name);
    const value = `source.${from}`;
    const converted = field[by] === undefined ? value : `fields.${name}.${by}(${value}, exponent, '${argument}')`;
    return { isOptional: field.isOptional, value, to, converted };
  });
  const required = parts.filter(({ isOptional }) => !isOptional).map(({ to, converted }) => `${to}: ${converted}`);
  const optionals = parts
    .filter(({ isOptional }) => isOptional)
    .map(({ value, to, converted }) => `if (${value} !== undefined) object.${to} = ${converted};`);
  const code = `return (source, exponent) => {
    const object = { ${required.join(', ')} };
    ${optionals.join('\n')}
    return object;
  }`;
  // oxlint-disable-next-line typescript/no-implied-eval -- made of the names in our own descriptions
  return (new Function('fields', code) as (described: Fields) => Convert)(fields);
};

interface Names {
  readonly from: string;
  readonly to: string;
  /** What `read` or `write` gets as its last argument. */
  readonly argument: string;
}

/** A function that reads objects of these fields from JSON that is valid by `accepted`. It throws `InvalidEvent`. */
export const readerOf = <F extends Fields>(fields: F) =>
  converter(fields, 'read', (name) => ({ from: snakeCase(name), to: name, argument: snakeCase(name) })) as (
    json: JsonOf<F, 'accepted'>,
    exponent: number,
  ) => ObjectOf<F>;

/** A function that writes objects of these fields as JSON. */
export const writerOf = <F extends Fields, P extends 'written' | 'shown'>(fields: F, place: P) =>
  converter(fields, 'write', (name) => ({ from: name, to: nameIn(place, name), argument: place })) as (
    object: ObjectOf<F>,
    exponent: number,
  ) => JsonOf<F, P>;

type OptionalField<F extends Field> = Omit<F, 'accepted' | 'written' | 'shown'> & {
  readonly accepted: TOptional<F['accepted']>;
  readonly written: TOptional<F['written']>;
  readonly shown: TOptional<F['shown']>;
  readonly isOptional: true;
};

/** An object can be without this field. */
export const optional = <F extends Field>(field: F): OptionalField<F> => ({
  ...field,
  accepted: Type.Optional(field.accepted),
  written: Type.Optional(field.written),
  shown: Type.Optional(field.shown),
  isOptional: true,
});

/** The client of `create-order` may give this field. `description` says what happens if the client leaves it out. */
export const fromClient = <F extends Field>(field: F, description: string) => ({
  ...field,
  requested: Type.Optional({ ...field.requested, description }) as TOptional<F['requested']>,
  isFromClient: true as const,
});

/** The fields that the client of `create-order` may give, and may leave out. */
export type FromClient<F extends Fields> = {
  readonly [K in keyof F as F[K] extends { isFromClient: true } ? K : never]: OptionalField<F[K]>;
};

export const fromClientOf = <F extends Fields>(fields: F): FromClient<F> =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([, { isFromClient }]) => isFromClient)
      .map(([name, field]) => [name, optional(field)]),
  ) as FromClient<F>;

interface ListOptions {
  readonly maxItems: number;
  /** The names of the schemas in the OpenAPI documents. */
  readonly requestedTitle: string;
  readonly shownTitle: string;
}

/** A list of objects of these fields, at least one of them. */
export const listOf = <F extends Fields>(fields: F, { maxItems, requestedTitle, shownTitle }: ListOptions) => {
  const read = readerOf(fields);
  const writers = { written: writerOf(fields, 'written'), shown: writerOf(fields, 'shown') };
  const limits = { minItems: 1, maxItems };
  return {
    accepted: Type.Array(Type.Object(propertiesOf(fields, 'accepted')), limits),
    written: Type.Array(Type.Object(propertiesOf(fields, 'written')), limits),
    requested: Type.Array(Type.Object(propertiesOf(fields, 'requested'), { title: requestedTitle }), limits),
    shown: Type.Array(Type.Object(propertiesOf(fields, 'shown'), { title: shownTitle }), { minItems: 1 }),
    read: (json: readonly JsonOf<F, 'accepted'>[], exponent: number): readonly ObjectOf<F>[] =>
      json.map((one) => read(one, exponent)),
    write: (list: readonly ObjectOf<F>[], exponent: number, place: 'written' | 'shown') =>
      list.map((one) => writers[place](one, exponent)),
  };
};

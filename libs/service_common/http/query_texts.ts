import Type, { type TString } from 'typebox';

/**
 * Numbers and instants in a query. There they are texts, and nothing converts them (`coerceTypes` in `ajv_options.ts`).
 * They are validated as texts, and described to clients as numbers and instants.
 */

interface Range {
  readonly minimum: number;
  readonly maximum: number;
}

const INTEGER = 'integerText';
const INSTANT = 'instantText';

export const IntegerText = (range: Range & { readonly default?: number }, description: string): TString =>
  Type.String({
    [INTEGER]: { minimum: range.minimum, maximum: range.maximum },
    ...(range.default === undefined ? {} : { default: String(range.default) }),
    description,
  });

/** A date alone means its first moment in UTC; a time has its zone. `Date.parse` reads every valid text. */
export const InstantText = (description: string): TString => Type.String({ [INSTANT]: true, description });

interface Validate {
  (rule: Range | true, text: string): boolean;
  errors?: object[];
}

const keyword = <Rule>(
  name: string,
  accepts: (text: string, rule: Rule) => boolean,
  message: (rule: Rule) => string,
) => {
  const validate: Validate = (rule, text) => {
    const isValid = accepts(text, rule as Rule);
    if (!isValid) validate.errors = [{ keyword: name, params: {}, message: message(rule as Rule) }];
    return isValid;
  };
  return { keyword: name, type: 'string', errors: true, validate } as const;
};

const INSTANT_FORM = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** The keywords in the form that Ajv takes. */
export const QUERY_KEYWORDS = [
  keyword<Range>(
    INTEGER,
    (text, { minimum, maximum }) =>
      /^(0|[1-9][0-9]{0,15})$/.test(text) && Number(text) >= minimum && Number(text) <= maximum,
    ({ minimum, maximum }) => `must be a whole number from ${minimum} to ${maximum}`,
  ),
  keyword<true>(
    INSTANT,
    (text) => INSTANT_FORM.test(text) && dayExists(text) && !Number.isNaN(Date.parse(text)),
    () => 'must be a date, or a time with its zone, in ISO 8601, as 2026-01-18T12:00:00Z',
  ),
];

/** `Date` takes 30 February for 2 March. */
const dayExists = (text: string): boolean => new Date(text.slice(0, 10)).getUTCDate() === Number(text.slice(8, 10));

/** Changes such a parameter of an OpenAPI document into a number or an instant. */
export const describeQueryText = (parameter: { schema?: Record<string, unknown> }): void => {
  const { [INTEGER]: range, [INSTANT]: isInstant, type, default: initial, ...others } = parameter.schema ?? {};
  if (range !== undefined) {
    const start = initial === undefined ? {} : { default: Number(initial) };
    parameter.schema = { type: 'integer', ...(range as Range), ...start, ...others };
  } else if (isInstant === true) {
    parameter.schema = { type, anyOf: [{ format: 'date-time' }, { format: 'date' }], ...others };
  }
};

import { QUERY_KEYWORDS } from './query_texts.ts';

/** How Ajv validates requests against their schemas. */
export const AJV_OPTIONS = {
  // A value of the wrong type is an error, not a guess: "3" is not 3.
  coerceTypes: false,
  removeAdditional: false,
  allErrors: true,
  allowUnionTypes: true,
  // Each error has its schema, whose `x-message` the answer shows.
  verbose: true,
  // `x-message` and `x-examples` are only texts.
  keywords: [...QUERY_KEYWORDS, 'x-message', 'x-examples'],
};

import { QUERY_KEYWORDS } from './query_texts.ts';

/** How requests are held to their schemas. */
export const AJV_OPTIONS = {
  // A value of the wrong type is an error and not a guess: "3" is not 3.
  coerceTypes: false,
  removeAdditional: false,
  allErrors: true,
  allowUnionTypes: true,
  // Errors come with their schemas, for what those have to say.
  verbose: true,
  // The last two are for texts.
  keywords: [...QUERY_KEYWORDS, 'x-message', 'x-examples'],
};

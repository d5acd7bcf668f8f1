/** For the accounts of breaches. */

export const position = ({ partition, offset }: { partition: number; offset: number }): string =>
  `${partition}:${offset}`;

export const duplicatesOf = (values: readonly string[]): string[] => {
  const seen = new Set<string>();
  return values.filter((value) => seen.size === seen.add(value).size);
};

/** @param added what to call values that are there, but not among the wanted ones */
export const eachOnce = (values: readonly string[], wanted: ReadonlySet<string>, added: string): string[] => [
  ...some('twice', duplicatesOf(values)),
  ...some('missing', [...wanted.difference(new Set(values))]),
  ...some(added, [...new Set(values).difference(wanted)]),
];

export const some = (what: string, values: readonly string[]): string[] =>
  values.length === 0
    ? []
    : [`${what}: ${values.slice(0, 5).join(', ')}${values.length > 5 ? ` and ${values.length - 5} more` : ''}`];

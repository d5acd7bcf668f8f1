import type { Exchange } from '#order_service/store/view_rebuild.ts';
import { preview, visible, visibleJson } from '../visible.ts';
import type { Difference } from './compare.ts';
import type { Comparison } from './compare_views.ts';

export interface BuiltView {
  readonly messages: number;
  readonly orders: number;
  readonly pending: number;
  readonly deadLetters: number;
  readonly seconds: number;
  readonly comparison: Comparison;
}

/** What became of the second view. `discarded`: by --dry-run. `refused`: orders would have been lost. */
export type Ending = Exchange | { readonly kind: 'discarded' | 'refused' };

/** The names of the endings in the result as JSON. */
const ENDINGS: Readonly<Record<Ending['kind'], string>> = {
  discarded: 'discarded',
  refused: 'refused',
  exchanged: 'exchanged',
  postponed: 'waits',
};

export const jsonResult = (built: BuiltView, { kind }: Ending): string =>
  visibleJson({ ...built, ending: ENDINGS[kind] });

/** The result for people, line by line. */
export const resultLines = (built: BuiltView, ending: Ending, topic: string): string[] => {
  const { messages, orders, pending, deadLetters, seconds, comparison } = built;
  const { kind, reason, count, examples } = comparison;
  return [
    `built from ${messages} messages of ${topic} in ${seconds.toFixed(1)} s: ${orders} orders, ${pending} pending, ${deadLetters} dead letters`,
    ...(kind === 'none' ? ['there is no live view to compare with'] : []),
    ...(kind === 'unreadable' ? [`the live view cannot be compared: ${visible(reason ?? '')}`] : []),
    ...(kind === 'compared' ? [count === 0 ? 'the live view is the same' : `${count} orders differ`] : []),
    ...examples.map(differenceLine),
    ...(count > examples.length ? [`  … and ${count - examples.length} more`] : []),
    endingLine(ending, comparison),
  ];
};

const differenceLine = ({ orderId, live, rebuilt }: Difference): string =>
  `  ${visible(orderId)}: live ${preview(live ?? 'missing', 300)}; log ${preview(rebuilt ?? 'missing', 300)}`;

const endingLine = (ending: Ending, { notInLog }: Comparison): string => {
  switch (ending.kind) {
    case 'discarded':
      return 'nothing was exchanged (--dry-run)';
    case 'refused':
      return `nothing was exchanged, because ${notInLog} orders are not in the log; --force exchanges them anyway`;
    case 'exchanged':
      return ending.former === null ? 'exchanged' : `exchanged; the former view is ${ending.former}`;
    default:
      return `an Order Service is running on the view: it takes up ${ending.rebuilt} when it starts next`;
  }
};

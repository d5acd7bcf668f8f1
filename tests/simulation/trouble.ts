import type { Coverage } from './coverage.ts';
import type { Dice } from './random.ts';
import type { Treatment, Weather } from './weather.ts';

/** What broker `node` does to publishes while this is one of the world's troubles. */
export type Trouble =
  | { readonly kind: 'publish'; readonly node: number; readonly treatment: Treatment['kind']; readonly percent: number }
  /** @property refuses - whether it refuses publishes, at the end of the client's patience */
  | { readonly kind: 'slow'; readonly node: number; readonly refuses: boolean };

/** The behaviour of brokers that have these troubles. */
export const createTroubledWeather = ({
  troubles,
  dice,
  coverage,
  redelivers,
}: {
  readonly troubles: ReadonlySet<Trouble>;
  readonly dice: Dice;
  readonly coverage: Coverage;
  /** Whether batches may be delivered again now. */
  readonly redelivers: () => boolean;
}): Weather => ({
  treat: (node) => {
    for (const trouble of troubles) {
      if (trouble.node !== node) continue;
      if (trouble.kind === 'slow') {
        if (trouble.refuses && dice.happens(`late refusal ${node}`, 0.7)) return { kind: 'refused' };
        continue;
      }
      if (dice.happens(`publish trouble ${node}`, trouble.percent / 100))
        return treatmentOf(trouble.treatment, node, dice, coverage);
    }
    return { kind: 'written' };
  },
  isSilent: (node) => dice.happens(`silence ${node}`, 0.4),
  delayMs: (node) => {
    const slow = [...troubles].find((trouble) => trouble.kind === 'slow' && trouble.node === node);
    if (slow?.kind !== 'slow') return 0;
    return slow.refuses ? dice.between(`delay ${node}`, 2_300, 2_850) : dice.between(`delay ${node}`, 100, 6_500);
  },
  batchRecords: () => dice.between('fetch', 1, 8),
  redelivers: () => {
    const again = redelivers() && dice.happens('redelivery', 0.5);
    if (again) coverage['batches delivered twice'] += 1;
    return again;
  },
});

const treatmentOf = (kind: Treatment['kind'], node: number, dice: Dice, coverage: Coverage): Treatment => {
  if (kind === 'late' || kind === 'twice') {
    if (kind === 'late') coverage['written late'] += 1;
    return { kind, ms: dice.between(`late ${node}`, 5, 5_000) };
  }
  if (kind === 'partly') {
    const rest = dice.happens(`rest ${node}`, 0.5) ? 'lost' : 'refused';
    return { kind, written: dice.between(`written ${node}`, 0, 2), rest };
  }
  return { kind };
};

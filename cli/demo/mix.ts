import type { Option } from '../command.ts';
import { refuse } from '../options.ts';

/** The kinds of an order's life, and how many of a hundred orders have each by default. */
const LIVES = {
  /** Goes from create to completed. */
  complete: 60,
  /** Is cancelled on the way. */
  cancel: 15,
  /** Stops on the way. */
  open: 10,
  /** As `complete`, with a customer who sends requests twice. */
  retry: 10,
  /** Has a request that must be refused. */
  wrong: 5,
} as const;

export type Life = keyof typeof LIVES;

/** The weight of each life: each order gets one of them at random. */
export type Mix = Readonly<Record<Life, number>>;

const NAMES = Object.keys(LIVES) as Life[];

/** `cancel=1,wrong=1`: a life that is not named has weight 0. */
export const mixOption: Option<Mix> = {
  placeholder: 'LIFE=N,...',
  description: `the share of orders that have each life (default: ${NAMES.map((life) => `${life}=${LIVES[life]}`).join(',')})`,
  read: (given) => {
    if (given === undefined) return LIVES;
    const mix: Record<Life, number> = { complete: 0, cancel: 0, open: 0, retry: 0, wrong: 0 };
    for (const part of given.split(',')) {
      const [, name, weight] = /^([a-z]+)=(\d{1,6})$/.exec(part.trim()) ?? [];
      const life = NAMES.find((known) => known === name);
      if (life === undefined) return refuse(given, ALLOWED);
      mix[life] = Number(weight);
    }
    return NAMES.some((life) => mix[life] > 0) ? mix : refuse(given, ALLOWED);
  },
};

const ALLOWED = `be such as complete=60,wrong=5, with names from ${NAMES.join(', ')} and at least one number above 0`;

/** @param random from 0 up to, but not including, 1 */
export const lifeOf = (mix: Mix, random: number): Life => {
  let left = random * NAMES.reduce((sum, life) => sum + mix[life], 0);
  return NAMES.find((life) => (left -= mix[life]) < 0) ?? 'complete';
};

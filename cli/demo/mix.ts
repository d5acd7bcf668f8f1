import type { Option } from '../command.ts';
import { refuse } from '../options.ts';

/** The lives that orders lead, and how many of a hundred do by default. */
const LIVES = {
  /** From create to completed. */
  complete: 60,
  /** Cancelled on the way. */
  cancel: 15,
  /** Stays on the way. */
  open: 10,
  /** Whole, by a customer who sends requests twice. */
  retry: 10,
  /** With a request that must be refused. */
  wrong: 5,
} as const;

export type Life = keyof typeof LIVES;

/** The weights of lives, by which each order has one. */
export type Mix = Readonly<Record<Life, number>>;

const NAMES = Object.keys(LIVES) as Life[];

/** `cancel=1,wrong=1`: what is not named has none. */
export const mixOption: Option<Mix> = {
  placeholder: 'LIFE=N,...',
  description: `how many orders, in proportion, lead which life (${NAMES.map((life) => `${life}=${LIVES[life]}`).join(',')})`,
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

const ALLOWED = `be such as complete=60,wrong=5, of ${NAMES.join(', ')}, not all of them 0`;

/** @param random from 0 up to 1 */
export const lifeOf = (mix: Mix, random: number): Life => {
  let left = random * NAMES.reduce((sum, life) => sum + mix[life], 0);
  return NAMES.find((life) => (left -= mix[life]) < 0) ?? 'complete';
};

/**
 * Randomness by name: every label has its own sequence, which depends only on the seed and the label. So a part that is
 * removed from a plan changes the rest of the run as little as possible.
 */
export interface Dice {
  /** A number from 0 up to, but not including, 1. */
  roll(label: string): number;
  /** An integer, both ends included. */
  between(label: string, least: number, most: number): number;
  /** @param probability 0 to 1 */
  happens(label: string, probability: number): boolean;
}

export const createDice = (seed: number): Dice => {
  const counters = new Map<string, { readonly hash: number; count: number }>();

  const roll = (label: string): number => {
    let counter = counters.get(label);
    if (counter === undefined) counters.set(label, (counter = { hash: hashOf(label, seed), count: 0 }));
    counter.count += 1;
    return (mix(counter.hash + Math.imul(counter.count, 0x9e37_79b9)) >>> 0) / 2 ** 32;
  };

  return {
    roll,
    between: (label, least, most) => least + Math.floor(roll(label) * (most - least + 1)),
    happens: (label, probability) => roll(label) < probability,
  };
};

const hashOf = (text: string, seed: number): number => {
  let hash = mix(seed ^ 0x811c_9dc5);
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
  return mix(hash);
};

/** The finalizer of murmur3: every bit of the input changes half of the output's. */
const mix = (value: number): number => {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return h ^ (h >>> 16);
};

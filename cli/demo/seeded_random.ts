/** Numbers from 0 to 1, the same for the same seed (mulberry32 on an FNV-1a hash). */
export const createRandom = (seed: string): (() => number) => {
  let state = 0x81_1c_9d_c5;
  for (const character of seed) state = Math.imul(state ^ character.charCodeAt(0), 0x01_00_01_93);
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

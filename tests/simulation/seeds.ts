import fc from 'fast-check';
import { patchSources } from '#tests/patched/patch_source.ts';
import { type Plan, plans } from './plan.ts';
import { plantedBug } from './planted_bugs.ts';

/** The plan of a seed, if a planted bug has no scene of its own. */
export const planOf = (seed: number, bug: string | null = null): Plan => {
  const scene = bug === null ? undefined : plantedBug(bug).scene;
  if (scene !== undefined) return { ...scene, seed };
  const [plan] = fc.sample(plans, { seed, numRuns: 1 });
  if (plan === undefined) throw new Error(`seed ${seed} gave no plan`);
  return plan;
};

/**
 * Loads the simulation, with a planted bug if `bug` is not null. Once per thread, before other code loads the product.
 */
export const loadSimulation = async (bug: string | null): Promise<typeof import('./simulation.ts')> => {
  if (bug !== null) patchSources(plantedBug(bug).patches.map((patch) => ({ name: bug, ...patch })));
  return await import('./simulation.ts');
};

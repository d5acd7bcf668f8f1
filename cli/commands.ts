import type { Command } from './command.ts';
import { demo } from './demo/demo.ts';
import { rebuild } from './rebuild/rebuild.ts';
import { redrive } from './redrive/redrive.ts';
import { tail } from './tail/tail.ts';

export const COMMANDS: readonly Command[] = [demo, tail, redrive, rebuild];

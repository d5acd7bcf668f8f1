import type { Command } from './command.ts';
import { demo } from './demo.ts';
import { rebuild } from './rebuild.ts';
import { redrive } from './redrive.ts';
import { tail } from './tail.ts';

export const COMMANDS: readonly Command[] = [demo, tail, redrive, rebuild];

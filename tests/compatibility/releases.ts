import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Decoded } from '#kafka_common/serdes_json.ts';
import type { Schema } from './containment.ts';

/** A released version of the events, on which its consumers and the log rely. A release never changes. */
export interface Release {
  readonly version: string;
  /** By the type of the event. */
  readonly written: Readonly<Record<string, Schema>>;
  readonly accepted: Readonly<Record<string, Schema>>;
  readonly corpus: readonly OldEvent[];
}

/** An event as it stood in the topic, and how it was read then. */
export interface OldEvent {
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: string;
  readonly decoded: Decoded;
}

export const RELEASES_FOLDER = join(import.meta.dirname, 'orders.events');

export const releases = (): Release[] =>
  readdirSync(RELEASES_FOLDER).map((version) => {
    const read = (name: string): string => readFileSync(join(RELEASES_FOLDER, version, name), 'utf8');
    return {
      version,
      written: JSON.parse(read('written.json')) as Release['written'],
      accepted: JSON.parse(read('accepted.json')) as Release['accepted'],
      corpus: read('events.jsonl')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as OldEvent),
    };
  });

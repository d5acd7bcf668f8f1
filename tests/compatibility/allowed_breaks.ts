import { LIMITS } from '#kafka_common/field_kinds.ts';
import type { OldEvent } from './releases.ts';

/** Events of a release that are not read any more, on purpose. `docs/decisions/0014-descriptions.md` gives the reasons. */
export interface AllowedBreak {
  readonly release: string;
  /** The breaches that the comparison of the schemas finds, for the schemas for writing and for reading alike. */
  readonly breaches: readonly string[];
  /** Is this stored event one of them? */
  readonly refuses: (event: OldEvent) => boolean;
  /** What such an event is refused for. */
  readonly reason: RegExp;
}

export const ALLOWED_BREAKS: readonly AllowedBreak[] = [
  {
    // The Cart Service counts by one from 1, so no release of it has written such a version.
    release: 'v1',
    breaches: ['ORDER_CREATED', 'ORDER_STATUS_UPDATED'].map(
      (type) => `${type}.version has the maximum ${Number.MAX_SAFE_INTEGER}, not ${LIMITS.version}`,
    ),
    refuses: ({ decoded }) => decoded.kind === 'event' && (decoded.event.version ?? 0) > LIMITS.version,
    reason: /^version must be <= 2147483647: /,
  },
];

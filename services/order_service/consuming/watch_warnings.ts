import { watchTopicSafety } from '#kafka_common/topic_safety.ts';
import { type ForeignViewsOptions, watchForeignViews } from './foreign_views.ts';
import { heldUpWarnings } from './held_up_warnings.ts';
import type { RunnerStatus } from './runner_status.ts';
import { type UnreadPartitionsOptions, watchUnreadPartitions } from './unread_partitions.ts';

type Options = Omit<ForeignViewsOptions, 'assigned' | 'lookMs'> &
  Omit<UnreadPartitionsOptions, 'lookMs'> & {
    readonly broker: Parameters<typeof watchTopicSafety>[0]['broker'];
    readonly logger: Parameters<typeof watchTopicSafety>[0]['logger'];
    readonly status: () => RunnerStatus;
  };

/** Watches everything that a person should know although the view follows the topic: for readiness and the flow. */
export const watchWarnings = ({ status, ...options }: Options) => {
  const ofTopic = watchTopicSafety(options);
  const unread = watchUnreadPartitions(options);
  const foreign = watchForeignViews({ ...options, assigned: () => status().assigned });
  return {
    unreadPartitions: unread.count,
    warnings: (): readonly string[] => [
      ...ofTopic(),
      ...unread.warnings(),
      ...foreign.warnings(),
      ...heldUpWarnings(status(), options.now()),
    ],
  };
};

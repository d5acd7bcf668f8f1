import { setTimeout as sleep } from 'node:timers/promises';
import { type Consumer, findErrorBy } from '@platformatic/kafka';
import { BrokerError, type ConsumeOptions, type Topic } from '#kafka_common/broker.ts';
import { protocolErrorsOf } from '#kafka_common/kafka/errors.ts';

const COORDINATOR_NOT_YET = ['COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_LOAD_IN_PROGRESS', 'NOT_COORDINATOR'];
const COORDINATOR_TRIES = 20;
const COORDINATOR_RETRY_MS = 250;

/** What the group does to a member. */
export interface MembershipEvents {
  /** The group had given this member up: other members may have moved its positions meanwhile. */
  onGivenUp(): void;
  /** Called for one assignment at a time. */
  onAssigned(partitions: readonly number[]): Promise<void>;
  onFailure(error: unknown): void;
}

/** Joins the group. The library keeps the membership from then on: it sends heartbeats and joins again. */
export const startMembership = (
  consumer: Consumer,
  topic: Topic,
  { group, memberId: instanceId }: Pick<ConsumeOptions, 'group' | 'memberId'>,
  stopping: AbortSignal,
  events: MembershipEvents,
): void => {
  let memberId: string | null = null;
  let assigning = Promise.resolve();

  consumer.on('consumer:group:join', (joined) => {
    // The group gives a new member id to a member that it had given up.
    if (memberId !== joined.memberId) events.onGivenUp();
    memberId = joined.memberId;
    const partitions = joined.assignments?.find((assignment) => assignment.topic === topic.name)?.partitions ?? [];
    assigning = assigning.then(() => events.onAssigned(partitions));
    assigning.catch(events.onFailure);
  });
  consumer.on('error', events.onFailure);
  // Left alone, the library would join again at once and fence the member that has just taken over.
  consumer.on('client:performWithRetry:failed', (_operation: string, _retries: number, errors: Error[]) => {
    if (!errors.some((error) => findErrorBy(error, 'apiId', 'FENCED_INSTANCE_ID'))) return;
    events.onFailure(new BrokerError('FENCED', `another process joined group ${group} as ${instanceId}`));
    consumer.leaveGroup(true, () => {});
  });

  consumer.topics.track(topic.name);
  join(consumer, stopping).catch(events.onFailure);
};

/** Ends a join under way too: left to `close` alone, that would end in heartbeats of a closed consumer, for ever. */
export const leaveGroup = (consumer: Consumer): Promise<void> =>
  new Promise((resolve) => consumer.leaveGroup(true, () => resolve()));

/** A broker has no coordinator yet if it has just started, or is making the topic of the groups' offsets. */
const join = async (consumer: Consumer, stopping: AbortSignal): Promise<void> => {
  for (let attempt = 1; ; attempt++) {
    try {
      await consumer.joinGroup({});
      return;
    } catch (error) {
      const isNotYet = protocolErrorsOf(error).some((name) => COORDINATOR_NOT_YET.includes(name));
      if (attempt === COORDINATOR_TRIES || !isNotYet) throw error;
    }
    await sleep(COORDINATOR_RETRY_MS, undefined, { signal: stopping });
  }
};

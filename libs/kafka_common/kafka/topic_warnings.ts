import { ConfigResourceTypes } from '@platformatic/kafka';
import type { CurrentAdmin } from './admin.ts';
import { isRefusedByRights, toBrokerError } from './errors.ts';

/** The settings of a topic that decide whether its records last. */
const SETTINGS = [
  'cleanup.policy',
  'retention.ms',
  'retention.bytes',
  'min.insync.replicas',
  'unclean.leader.election.enable',
];

/** What of a topic decides whether its records last. */
export interface TopicSafety {
  /** By name. Empty if there is no right to read them. */
  readonly settings: ReadonlyMap<string, string | null>;
  /** The replicas of the partition that has the fewest. */
  readonly replicas: number;
  readonly brokers: number;
}

/** One sentence for each setting that endangers the records: what is wrong, what happens, what to do. */
export const warningsOf = (topic: string, { settings, replicas, brokers }: TopicSafety): string[] => {
  const set = (name: string): string => settings.get(name) ?? '';
  const policies = set('cleanup.policy').split(',');
  const deletes =
    settings.has('cleanup.policy') && !policies.includes('delete') ? [] : ['retention.ms', 'retention.bytes'];
  const finite = deletes.filter((name) => settings.has(name) && set(name) !== '-1');
  return [
    ...(policies.includes('compact')
      ? [
          `topic ${topic} has cleanup.policy=${set('cleanup.policy')}: Kafka removes events of orders; set cleanup.policy=delete`,
        ]
      : []),
    ...finite.map((name) => `topic ${topic} has ${name}=${set(name)}: Kafka removes old events; set ${name}=-1`),
    ...(replicas === 1 && brokers > 1
      ? [
          `topic ${topic} has 1 replica on ${brokers} brokers: one lost disk loses its events; give it ${Math.min(3, brokers)} replicas`,
        ]
      : []),
    ...(replicas > 1 && set('min.insync.replicas') === '1'
      ? [
          `topic ${topic} has min.insync.replicas=1: an acknowledged event can be on one disk only; set min.insync.replicas=2`,
        ]
      : []),
    ...(replicas > 1 && set('unclean.leader.election.enable') === 'true'
      ? [
          `topic ${topic} has unclean.leader.election.enable=true: a new leader can lose acknowledged events; set unclean.leader.election.enable=false`,
        ]
      : []),
  ];
};

/** @throws BrokerError `UNAVAILABLE` */
export const topicWarnings = async (admin: CurrentAdmin, name: string): Promise<string[]> => {
  try {
    const { topics, brokers } = await admin.client.metadata({ topics: [name], forceUpdate: true });
    const replicas = (topics.get(name)?.partitions ?? []).map((partition) => partition.replicas.length);
    if (replicas.length === 0) return [];
    const settings = await settingsOf(admin, name);
    return warningsOf(name, { settings, replicas: Math.min(...replicas), brokers: brokers.size });
  } catch (error) {
    throw toBrokerError(error);
  }
};

/** Empty if there is no right to read them: they may be good. */
const settingsOf = async (admin: CurrentAdmin, name: string): Promise<Map<string, string | null>> => {
  const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: name, configurationKeys: SETTINGS };
  try {
    const described = await admin.client.describeConfigs({ resources: [resource] });
    return new Map(described.flatMap(({ configs }) => configs).map((config) => [config.name, config.value ?? null]));
  } catch (error) {
    if (isRefusedByRights(error)) return new Map();
    throw error;
  }
};

/** A killed broker may come back only when its old session has timed out, even if no other broker could replace it. */
const SOLE_BROKER = { 'broker.session.timeout.ms': 3_000, 'broker.heartbeat.interval.ms': 500 };

/**
 * Each node is broker and controller. Few threads and little memory, for a laptop; no waits that only a real cluster
 * needs.
 */
export function brokerProperties(replication: number): Record<string, string | number> {
  const mostOf = Math.floor(replication / 2) + 1;
  return {
    ...(replication === 1 && SOLE_BROKER),
    'process.roles': 'broker,controller',
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'auto.create.topics.enable': 'false',
    'default.replication.factor': replication,
    'min.insync.replicas': mostOf,
    'offsets.topic.replication.factor': replication,
    'offsets.topic.num.partitions': 3,
    'transaction.state.log.replication.factor': replication,
    'transaction.state.log.min.isr': mostOf,
    'transaction.state.log.num.partitions': 3,
    'share.coordinator.state.topic.replication.factor': replication,
    'share.coordinator.state.topic.min.isr': mostOf,
    'share.coordinator.state.topic.num.partitions': 3,
    'group.initial.rebalance.delay.ms': 0,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'background.threads': 2,
    'log.cleaner.dedupe.buffer.size': 4_194_304,
    'log.index.size.max.bytes': 1_048_576,
  };
}

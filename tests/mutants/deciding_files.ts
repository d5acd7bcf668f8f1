/**
 * The files that decide, each with the tests that judge its mutants. The nearest and fastest test comes first: a later one
 * sees only what the earlier ones did not notice.
 */
export const DECIDING_FILES: Readonly<Record<string, readonly string[]>> = {
  'libs/kafka_common/amounts.ts': ['libs/kafka_common/amounts.test.ts'],
  'libs/kafka_common/kafka/wire/committed_batches.ts': ['libs/kafka_common/kafka/wire/committed_batches.test.ts'],
  'libs/kafka_common/money.ts': ['libs/kafka_common/money.test.ts'],
  'libs/kafka_common/order_fold.ts': [
    'services/order_service/order_event_handler.test.ts',
    'tests/contracts/one_fold.test.ts',
  ],
  'libs/kafka_common/partitioner.ts': ['libs/kafka_common/partitioner.test.ts'],
  'libs/kafka_common/topic_change.ts': ['libs/kafka_common/topic_change.test.ts'],
  'services/cart_service/order_commands.ts': ['services/cart_service/order_commands.test.ts'],
  'services/cart_service/publishing/refusals.ts': ['services/cart_service/publishing/refusals.test.ts'],
  'services/cart_service/publishing/batches/plan_batch.ts': [
    'services/cart_service/publishing/batches/plan_batch.test.ts',
  ],
  'services/cart_service/publishing/asked_store.ts': ['services/cart_service/publishing/asked_store.test.ts'],
  'services/cart_service/publishing/batches/settlements.ts': [
    'services/cart_service/publishing/batches/settlements.test.ts',
  ],
  'services/cart_service/publishing/waiting/attempts.ts': ['services/cart_service/publishing/waiting/attempts.test.ts'],
  'services/cart_service/publishing/waiting/partition_queue.ts': [
    'services/cart_service/publishing/waiting/partition_queue.test.ts',
  ],
  'services/cart_service/log/log_positions.ts': ['services/cart_service/log/log_positions.test.ts'],
  'services/cart_service/log/learn_from_log.ts': ['services/cart_service/log/learn_from_log.test.ts'],
  'services/cart_service/log/catch_up.ts': ['services/cart_service/log/catch_up.test.ts'],
  'services/cart_service/publishing/batches/batch_taker.ts': [
    'services/cart_service/publishing/batches/batch_taker.test.ts',
  ],
  'services/cart_service/publishing/batches/relay.ts': ['services/cart_service/publishing/batches/relay.test.ts'],
  'services/cart_service/publishing/batches/transactions.ts': [
    'services/cart_service/publishing/batches/transactions.test.ts',
  ],
  'services/cart_service/publishing/batches/fate_answers.ts': [
    'services/cart_service/publishing/batches/fate_answers.test.ts',
  ],
  'services/cart_service/publishing/batches/batch_writer.ts': [
    'services/cart_service/publishing/batches/batch_writer.test.ts',
  ],
  'services/cart_service/publishing/batches/refused_events.ts': [
    'services/cart_service/publishing/batches/decide_refused.test.ts',
  ],
  'services/cart_service/publishing/waiting/topic_queues.ts': [
    'services/cart_service/publishing/waiting/topic_queues.test.ts',
  ],
  'services/cart_service/publishing/waiting/waiting_room.ts': [
    'services/cart_service/publishing/waiting/waiting_room.test.ts',
    'services/cart_service/publishing/waiting/waiting_room_limits.test.ts',
  ],
  'services/cart_service/publishing/lanes.ts': ['services/cart_service/publishing/lanes.test.ts'],
  'services/order_service/order_event_handler.ts': ['services/order_service/order_event_handler.test.ts'],
  'services/order_service/consuming/partition_positions.ts': [
    'services/order_service/consuming/partition_positions.test.ts',
  ],
  'services/order_service/consuming/unread_partitions.ts': [
    'services/order_service/consuming/unread_partitions.test.ts',
  ],
};

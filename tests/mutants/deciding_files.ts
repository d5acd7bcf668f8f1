/**
 * The files that decide, each with the tests that judge its mutants. The nearest and fastest test comes first: a later one
 * sees only what the earlier ones did not notice.
 */
export const DECIDING_FILES: Readonly<Record<string, readonly string[]>> = {
  'libs/kafka_common/amounts.ts': ['libs/kafka_common/amounts_examples.test.ts'],
  'libs/kafka_common/embedded/groups.ts': ['libs/kafka_common/embedded/groups.test.ts'],
  'libs/kafka_common/header_names.ts': ['libs/kafka_common/header_names.test.ts'],
  'libs/kafka_common/kafka/assigned_partitions.ts': ['libs/kafka_common/kafka/assigned_partitions.test.ts'],
  'libs/kafka_common/kafka/consuming/owned_partitions.ts': [
    'libs/kafka_common/kafka/consuming/owned_partitions.test.ts',
    'libs/kafka_common/kafka/consuming/owned_partition_starts.test.ts',
  ],
  'libs/kafka_common/kafka/errors.ts': [
    'libs/kafka_common/kafka/errors.test.ts',
    'libs/kafka_common/kafka/error_texts.test.ts',
  ],
  'libs/kafka_common/kafka/publishing/chunks.ts': ['libs/kafka_common/kafka/publishing/chunks.test.ts'],
  'libs/kafka_common/kafka/publishing/fates.ts': ['libs/kafka_common/kafka/publishing/fates.test.ts'],
  'libs/kafka_common/kafka/publishing/lane.ts': ['libs/kafka_common/kafka/publishing/lane.test.ts'],
  'libs/kafka_common/kafka/publishing/sender.ts': ['libs/kafka_common/kafka/publishing/sender.test.ts'],
  'libs/kafka_common/kafka/wire/committed_batches.ts': ['libs/kafka_common/kafka/wire/committed_batches.test.ts'],
  'libs/kafka_common/kafka/wire/decompressed_size.ts': ['libs/kafka_common/kafka/wire/decompressed_size.test.ts'],
  'libs/kafka_common/kafka/wire/read_records.ts': ['libs/kafka_common/kafka/wire/read_batches.test.ts'],
  'libs/kafka_common/kafka/wire/record_batches.ts': ['libs/kafka_common/kafka/wire/record_batches.test.ts'],
  'libs/kafka_common/kafka/wire/record_parser.ts': ['libs/kafka_common/kafka/wire/record_parser.test.ts'],
  'libs/kafka_common/kafka/wire/varints.ts': ['libs/kafka_common/kafka/wire/varints.test.ts'],
  'libs/kafka_common/money.ts': ['libs/kafka_common/money.test.ts'],
  'libs/kafka_common/order_fold.ts': [
    'services/order_service/order_event_handler.test.ts',
    'tests/contracts/one_fold.test.ts',
  ],
  'libs/kafka_common/partitioner.ts': ['libs/kafka_common/partitioner.test.ts'],
  'libs/kafka_common/serdes_json.ts': ['libs/kafka_common/serdes_examples.test.ts'],
  'libs/kafka_common/topic_change.ts': ['libs/kafka_common/topic_change.test.ts'],
  'libs/kafka_common/topic_safety.ts': ['libs/kafka_common/topic_safety.test.ts'],
  'services/cart_service/log/catch_up.ts': ['services/cart_service/log/catch_up.test.ts'],
  'services/cart_service/log/learn_from_log.ts': ['services/cart_service/log/learn_from_log.test.ts'],
  'services/cart_service/log/log_positions.ts': ['services/cart_service/log/log_positions.test.ts'],
  'services/cart_service/order_commands.ts': ['services/cart_service/order_commands.test.ts'],
  'services/cart_service/publishing/asked_store.ts': ['services/cart_service/publishing/asked_store.test.ts'],
  'services/cart_service/publishing/batches/batch_taker.ts': [
    'services/cart_service/publishing/batches/batch_taker.test.ts',
  ],
  'services/cart_service/publishing/batches/batch_decider.ts': [
    'services/cart_service/publishing/batches/batch_writer.test.ts',
  ],
  'services/cart_service/publishing/batches/batch_writer.ts': [
    'services/cart_service/publishing/batches/batch_writer.test.ts',
  ],
  'services/cart_service/publishing/batches/fate_answers.ts': [
    'services/cart_service/publishing/batches/fate_answers.test.ts',
  ],
  'services/cart_service/publishing/batches/plan_batch.ts': [
    'services/cart_service/publishing/batches/plan_batch.test.ts',
  ],
  'services/cart_service/publishing/batches/refused_events.ts': [
    'services/cart_service/publishing/batches/decide_refused.test.ts',
  ],
  'services/cart_service/publishing/batches/relay.ts': ['services/cart_service/publishing/batches/relay.test.ts'],
  'services/cart_service/publishing/batches/settlements.ts': [
    'services/cart_service/publishing/batches/settlements.test.ts',
  ],
  'services/cart_service/publishing/batches/transactions.ts': [
    'services/cart_service/publishing/batches/transactions.test.ts',
  ],
  'services/cart_service/publishing/lanes.ts': ['services/cart_service/publishing/lanes.test.ts'],
  'services/cart_service/publishing/refusals.ts': ['services/cart_service/publishing/refusals.test.ts'],
  'services/cart_service/publishing/waiting/attempts.ts': ['services/cart_service/publishing/waiting/attempts.test.ts'],
  'services/cart_service/publishing/waiting/partition_queue.ts': [
    'services/cart_service/publishing/waiting/partition_queue.test.ts',
  ],
  'services/cart_service/publishing/waiting/topic_queues.ts': [
    'services/cart_service/publishing/waiting/topic_queues.test.ts',
  ],
  'services/cart_service/publishing/waiting/waiting_room.ts': [
    'services/cart_service/publishing/waiting/waiting_room.test.ts',
    'services/cart_service/publishing/waiting/waiting_room_limits.test.ts',
  ],
  'services/order_service/consuming/apply_queue.ts': ['services/order_service/consuming/apply_queue.test.ts'],
  'services/order_service/consuming/apply_transaction.ts': [
    'services/order_service/consuming/apply_transaction.test.ts',
  ],
  'services/order_service/consuming/consuming_state.ts': ['services/order_service/consuming/consuming_state.test.ts'],
  'services/order_service/consuming/decode_records.ts': ['services/order_service/consuming/decode_records.test.ts'],
  'services/order_service/consuming/partition_positions.ts': [
    'services/order_service/consuming/partition_positions.test.ts',
  ],
  'services/order_service/consuming/start_positions.ts': ['services/order_service/consuming/start_positions.test.ts'],
  'services/order_service/consuming/unread_partitions.ts': [
    'services/order_service/consuming/unread_partitions.test.ts',
  ],
  'services/order_service/order_event_handler.ts': ['services/order_service/order_event_handler.test.ts'],
  'services/order_service/redrive/letter_parts.ts': ['services/order_service/redrive/letter_parts.test.ts'],
  'services/order_service/redrive/plan_letter.ts': ['services/order_service/redrive/plan_letter.test.ts'],
  'services/order_service/redrive/publish_letters.ts': ['services/order_service/redrive/publish_letters.test.ts'],
  'services/order_service/redrive/redrive.ts': ['services/order_service/redrive/redrive_pages.test.ts'],
  'services/order_service/redrive/redrive_header.ts': ['services/order_service/redrive/redrive_header.test.ts'],
  'services/order_service/redrive/redrive_proof.ts': ['services/order_service/redrive/redrive_header.test.ts'],
};

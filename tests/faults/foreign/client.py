"""A Kafka client of another make (librdkafka), for the rows of the campaign that write to the topic as others do.

Reads one JSON command a line from standard input, and answers each with one JSON line, in the same order:
  {"op": "write", "topic": T, "messages": [M...], "compression": C?}   -> {"written": [[partition, offset] | null...]}
  {"op": "begin", "id": I}                                             -> {}   begins a transaction
  {"op": "send", "id": I, "topic": T, "messages": [M...]}              -> {"written": ...}   inside it
  {"op": "end", "id": I, "how": "commit" | "abort"}                    -> {}
  {"op": "committed", "topic": T}                                      -> {"records": [[partition, offset]...]}
M is {"partition": P?, "key": B?, "value": B?, "zeros": N?, "headers": [[name, B | null]...]?, "timestamp": MS?}.
B is base64. `zeros` asks for a value of N zero bytes. A failed command is answered with {"error": text}.
"""

import base64
import json
import sys

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

SECONDS = 60
SETTINGS = {"bootstrap.servers": sys.argv[1], "message.max.bytes": 1_000_000_000, "linger.ms": 0}
transactions = {}


def unpack(text):
    return None if text is None else base64.b64decode(text)


def write(producer, topic, messages):
    written = [None] * len(messages)
    errors = []

    def delivered(index):
        def report(error, message):
            if error is None:
                written[index] = [message.partition(), message.offset()]
            else:
                errors.append(str(error))

        return report

    for index, message in enumerate(messages):
        options = {
            name: message[name] for name in ("partition", "timestamp") if message.get(name) is not None
        }
        zeros = message.get("zeros")
        producer.produce(
            topic,
            key=unpack(message.get("key")),
            value=bytes(zeros) if zeros else unpack(message.get("value")),
            headers=[(name, unpack(value)) for name, value in message.get("headers", [])],
            on_delivery=delivered(index),
            **options,
        )
    if producer.flush(SECONDS) > 0:
        errors.append(f"not delivered within {SECONDS} s")
    return {"written": written, "error": errors[0]} if errors else {"written": written}


def begin(command):
    # A crashed run leaves no transaction behind for longer than this.
    producer = Producer({**SETTINGS, "transactional.id": command["id"], "transaction.timeout.ms": 60_000})
    producer.init_transactions(SECONDS)
    producer.begin_transaction()
    transactions[command["id"]] = producer
    return {}


def end(command):
    producer = transactions.pop(command["id"])
    if command["how"] == "commit":
        producer.commit_transaction(SECONDS)
    else:
        producer.abort_transaction(SECONDS)
    return {}


def committed(command):
    """The offsets of all committed records, as librdkafka reads them."""
    topic = command["topic"]
    consumer = Consumer(
        {
            "bootstrap.servers": sys.argv[1],
            "group.id": "foreign-reader",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.message.max.bytes": 10_000_000,
        }
    )
    try:
        partitions = consumer.list_topics(topic, timeout=SECONDS).topics[topic].partitions
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        records, ended = [], set()
        while len(ended) < len(partitions):
            message = consumer.poll(SECONDS)
            if message is None:
                raise RuntimeError(f"nothing came within {SECONDS} s")
            if message.error() is None:
                records.append([message.partition(), message.offset()])
            elif message.error().code() == KafkaError._PARTITION_EOF:
                ended.add(message.partition())
            else:
                raise KafkaException(message.error())
        return {"records": records}
    finally:
        consumer.close()


def carry_out(command):
    if command["op"] == "write":
        compression = {"compression.type": command["compression"]} if command.get("compression") else {}
        return write(Producer({**SETTINGS, **compression}), command["topic"], command["messages"])
    if command["op"] == "send":
        return write(transactions[command["id"]], command["topic"], command["messages"])
    return {"begin": begin, "end": end, "committed": committed}[command["op"]](command)


for line in sys.stdin:
    try:
        answer = carry_out(json.loads(line))
    except Exception as error:  # The caller decides what an error means.
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)

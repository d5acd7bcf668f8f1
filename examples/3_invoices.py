"""Example 3: a consumer in Python that writes an invoice for each order, and survives all that the topic may hold.

You learn what every consumer of a shared topic meets, and how to stay right:
- the same event twice, or an older one after a newer one;
- events of other producers: no `version`, camelCase names, `123` for `ORD-123`, `NEW` for `new`;
- tombstones, bytes that are not UTF-8, text that is not JSON, JSON that is not an event, types from the future.
What cannot be used is set aside with its reason, and the messages behind it go on.

Run it beside `npm run kafka` and the services on Kafka: npm run example:invoices
The script makes a virtual environment and installs confluent-kafka in it. Invoices are kept in `data/invoices.sqlite`.
"""

import json
import os
import signal
import sqlite3
import threading
from decimal import Decimal

from confluent_kafka import Consumer

STATUSES = {"new", "pending", "confirmed", "processing", "dispatched", "shipped", "delivered", "completed", "cancelled"}
TABLES = """
CREATE TABLE IF NOT EXISTS orders (order_id TEXT PRIMARY KEY, version INTEGER, status TEXT, total TEXT, currency TEXT);
CREATE TABLE IF NOT EXISTS seen (event_id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS set_aside (topic TEXT, partition INTEGER, offset INTEGER, value BLOB, reason TEXT,
                                      PRIMARY KEY (topic, partition, offset));
"""


def read_event(value):
    """The event in these bytes, with one form for what may have several. Raises ValueError with the reason."""
    if not value:
        raise ValueError("a tombstone")
    try:
        # Decimal, because a float cannot hold every amount of money.
        event = json.loads(value.decode("utf-8-sig"), parse_float=Decimal)
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    if not isinstance(event, dict):
        raise ValueError("not a JSON object")
    event_type = event.get("event_type")
    if event_type not in ("ORDER_CREATED", "ORDER_STATUS_UPDATED"):
        raise ValueError(f"unknown type {event_type!r:.40}")
    version = event.get("version")
    if version is not None and (type(version) is not int or not 1 <= version < 2**53):
        raise ValueError("the version is not a number from 1")
    read = {"id": text(event, "event_id"), "type": event_type, "version": version}
    read["order_id"] = order_id(text(event, "order_id"))
    if event_type == "ORDER_STATUS_UPDATED":
        return {**read, "status": status(text(event, "status"))}
    order = event.get("order")
    if not isinstance(order, dict):
        raise ValueError("order is not an object")
    total = order.get("total_amount", order.get("totalAmount"))
    if type(total) not in (int, Decimal) or not 0 <= total < 2**53:
        raise ValueError("total_amount is not an amount")
    if order_id(text({"order_id": order.get("order_id", order.get("orderId"))}, "order_id")) != read["order_id"]:
        raise ValueError("order_id and order.order_id differ")
    currency = text(order, "currency")
    if not (currency.isascii() and currency.isalpha() and currency.isupper() and len(currency) == 3):
        raise ValueError("unknown currency")
    return {**read, "status": status(text(order, "status")), "total": total, "currency": currency}


def text(fields, name):
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is not a text")
    return value


def order_id(given):
    digits = given.removeprefix("ORD-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 64):
        raise ValueError("order_id is not an order id")
    return f"ORD-{digits}"


def status(given):
    if given.lower() not in STATUSES:
        raise ValueError(f"unknown status {given!r:.40}")
    return given.lower()


def apply(db, event):
    """Applies an event to the store. Returns the line to print, or None if the event has been applied before."""
    row = db.execute("SELECT version, status, total FROM orders WHERE order_id = ?", (event["order_id"],)).fetchone()
    known_version, known_status, known_total = row or (0, None, None)
    version = event["version"] or known_version
    if event["type"] == "ORDER_CREATED":
        # An order is created once. Its status can come before it, from a producer that uses another key.
        if known_total is not None:
            return None
        new_status = known_status or event["status"]
        values = (event["order_id"], max(version, known_version), new_status, str(event["total"]), event["currency"])
        db.execute("INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?, ?)", values)
        return f"invoice {event['order_id']} {event['total']} {event['currency']}"
    if event["version"] is None:
        # Without a version only the event id shows a repetition.
        if db.execute("INSERT OR IGNORE INTO seen VALUES (?)", (event["id"],)).rowcount == 0:
            return None
    elif event["version"] <= known_version:
        return None
    db.execute(
        "INSERT INTO orders (order_id, version, status) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET version = excluded.version, status = excluded.status",
        (event["order_id"], version, event["status"]),
    )
    return f"status {event['order_id']} {event['status']}"


def handle(db, message):
    """Takes one message into the store, in one transaction. No message stops it."""
    with db:
        try:
            return apply(db, read_event(message.value()))
        except ValueError as error:
            place = (message.topic(), message.partition(), message.offset())
            row = (*place, message.value(), str(error))
            new = db.execute("INSERT OR IGNORE INTO set_aside VALUES (?, ?, ?, ?, ?)", row).rowcount == 1
            return f"set aside partition {place[1]} offset {place[2]}: {error}" if new else None


def main():
    file = os.environ.get("INVOICES_FILE", "data/invoices.sqlite")
    os.makedirs(os.path.dirname(file) or ".", exist_ok=True)
    db = sqlite3.connect(file)
    db.executescript(TABLES)
    consumer = Consumer(
        {
            "bootstrap.servers": os.environ.get("KAFKA_BOOTSTRAP_SERVERS") or "localhost:9092",
            "group.id": os.environ.get("INVOICES_GROUP", "invoices"),
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            # A topic that is created later is found within this time.
            "topic.metadata.refresh.interval.ms": 2000,
            # The client's own log has a line for each attempt to connect.
            "log_level": 2,
            "error_cb": lambda error: print(f"waiting: {error.str()}", flush=True),
        }
    )
    consumer.subscribe([os.environ.get("ORDERS_TOPIC", "orders.events")])
    stopping = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopping.set())
    print("waiting for events; Ctrl+C stops", flush=True)
    while not stopping.is_set():
        message = consumer.poll(0.5)
        if message is None:
            continue
        if message.error():
            # The client goes on by itself after every error that is not fatal.
            if message.error().fatal():
                raise SystemExit(message.error().str())
            print(f"waiting: {message.error().str()}", flush=True)
            continue
        line = handle(db, message)
        if line:
            print(line, flush=True)
        # After the work: what a crash leaves uncommitted comes again, and is known again.
        consumer.commit(message, asynchronous=True)
    consumer.close()
    db.close()


if __name__ == "__main__":
    main()

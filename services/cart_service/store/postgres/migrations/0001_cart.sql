-- Ids are compared byte by byte. That is what equality means, and it is faster than a language's order.
CREATE TABLE cart_service.orders (
  order_id    text COLLATE "C" PRIMARY KEY,
  version     bigint NOT NULL,
  status      text NOT NULL,
  -- The highest version that was read from the log.
  logged      bigint NOT NULL DEFAULT 0,
  -- A status was read from the log, and the creation was not.
  pending     boolean NOT NULL DEFAULT false,
  -- The offset of the acknowledged event that has this version. It counts only in the topic of its number.
  ahead       bigint,
  ahead_topic integer
) WITH (fillfactor = 80);

-- An order has at most one open event, so order within a key holds whoever publishes it.
CREATE TABLE cart_service.outbox (
  order_id        text COLLATE "C" PRIMARY KEY,
  event_id        text NOT NULL,
  seq             bigint NOT NULL,
  -- The instance that publishes it; 0: whoever comes first.
  instance        integer NOT NULL,
  -- Another instance had it before, and may have published it: it is never taken back.
  taken_over      boolean NOT NULL DEFAULT false,
  fingerprint     text,
  idempotency_key text,
  headers         text NOT NULL,
  value           text NOT NULL
);
CREATE INDEX outbox_by_instance ON cart_service.outbox (instance);

CREATE TABLE cart_service.instances (
  instance integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  seen_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE cart_service.unanswered (
  order_id    text COLLATE "C" NOT NULL,
  fingerprint text NOT NULL,
  at          bigint,
  PRIMARY KEY (order_id, fingerprint)
);
CREATE INDEX unanswered_by_age ON cart_service.unanswered (at) WHERE at IS NOT NULL;

CREATE TABLE cart_service.idempotency_keys (
  key         text COLLATE "C" PRIMARY KEY,
  fingerprint text NOT NULL,
  order_id    text NOT NULL,
  refusal     text,
  created_at  bigint NOT NULL
);
CREATE INDEX idempotency_keys_by_age ON cart_service.idempotency_keys (created_at);

CREATE TABLE cart_service.positions (
  partition integer PRIMARY KEY,
  topic_id  text NOT NULL,
  next      bigint NOT NULL
);

-- One row: the topic in use, the how manieth it is, and the instance that reads what others write to it.
CREATE TABLE cart_service.topic (
  one        boolean PRIMARY KEY DEFAULT true CHECK (one),
  number     integer NOT NULL DEFAULT 1,
  topic_id   text,
  reader     integer NOT NULL DEFAULT 0,
  read_until timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO cart_service.topic DEFAULT VALUES;

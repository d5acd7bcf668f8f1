-- The view of the Order Service. Any number of instances write to it and read from it.

-- The identity of the view. The ids of its stream name it.
CREATE TABLE order_service.identity (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  view_id text NOT NULL
);
INSERT INTO order_service.identity (view_id) VALUES (right(replace(gen_random_uuid()::text, '-', ''), 16));

-- The key by which all instances recognize what one of them has redriven.
CREATE TABLE order_service.redrive_key (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  key     bytea NOT NULL
);
INSERT INTO order_service.redrive_key (key)
VALUES (decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));

-- A topic that was deleted and made again has another number.
CREATE TABLE order_service.topics (
  number   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name     text COLLATE "C" NOT NULL,
  topic_id text COLLATE "C" NOT NULL,
  UNIQUE (name, topic_id)
);

-- Each transaction moves the position of its partitions, so their rows also count what no query could count fast.
CREATE TABLE order_service.positions (
  topic        text COLLATE "C" NOT NULL,
  partition    integer NOT NULL,
  -- Null only within the transaction that makes the row.
  topic_number integer REFERENCES order_service.topics,
  next         bigint NOT NULL DEFAULT 0,
  commits      bigint NOT NULL DEFAULT 0,
  orders       bigint NOT NULL DEFAULT 0,
  dead_letters bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);

-- Orders, and pending statuses: they have no arrival and no body.
CREATE TABLE order_service.orders (
  order_id      text COLLATE "C" PRIMARY KEY,
  -- Rises with each change of the row.
  revision      bigint NOT NULL DEFAULT 1,
  version       bigint NOT NULL,
  status        text COLLATE "C" NOT NULL,
  pending_since bigint,
  arrival       bigint,
  customer_id   text COLLATE "C",
  ordered_at    bigint,
  body          text COLLATE "C",
  CHECK ((pending_since IS NULL) = (body IS NOT NULL)),
  CHECK ((body IS NULL) = (arrival IS NULL AND customer_id IS NULL AND ordered_at IS NULL))
);
CREATE SEQUENCE order_service.arrivals;
CREATE UNIQUE INDEX orders_by_arrival ON order_service.orders (arrival) WHERE arrival IS NOT NULL;
CREATE INDEX orders_by_time ON order_service.orders (ordered_at, arrival) WHERE arrival IS NOT NULL;
CREATE INDEX orders_by_status ON order_service.orders (status, ordered_at, arrival) WHERE arrival IS NOT NULL;
CREATE INDEX orders_by_customer ON order_service.orders (customer_id, ordered_at, arrival) WHERE arrival IS NOT NULL;
CREATE INDEX orders_pending ON order_service.orders (pending_since) WHERE pending_since IS NOT NULL;

-- Not unique by place: a log that was cut gives an offset twice.
CREATE TABLE order_service.events (
  topic_number integer NOT NULL,
  partition    integer NOT NULL,
  "offset"     bigint NOT NULL,
  sequence     bigint GENERATED ALWAYS AS IDENTITY,
  order_id     text COLLATE "C" NOT NULL,
  is_creation  boolean NOT NULL,
  version      bigint,
  status       text COLLATE "C" NOT NULL,
  "timestamp"  bigint NOT NULL,
  outcome      text COLLATE "C" NOT NULL
);
CREATE INDEX events_by_place ON order_service.events (topic_number, partition, "offset");
CREATE INDEX events_by_order ON order_service.events (order_id, sequence);

CREATE TABLE order_service.seen_events (event_id text COLLATE "C" PRIMARY KEY);

CREATE TABLE order_service.dead_letters (
  id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  topic              text COLLATE "C" NOT NULL,
  partition          integer NOT NULL,
  "offset"           bigint NOT NULL,
  "timestamp"        bigint NOT NULL,
  key                bytea,
  value              bytea,
  headers            text NOT NULL,
  reason             text NOT NULL,
  is_whole           boolean NOT NULL,
  stored_at          bigint NOT NULL,
  redriven_at        bigint,
  redriven_partition integer,
  redriven_offset    bigint,
  redriven_outcome   text
);
CREATE INDEX dead_letters_held ON order_service.dead_letters (id) WHERE redriven_at IS NULL;
CREATE INDEX dead_letters_held_at ON order_service.dead_letters (partition, "offset", topic) WHERE redriven_at IS NULL;
CREATE INDEX dead_letters_redriven ON order_service.dead_letters (id) WHERE redriven_at IS NOT NULL;

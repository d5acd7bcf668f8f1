/** The statements of a batch. Each takes a list for every column, so a batch of any size is a few statements. */

/**
 * Locks the orders that a batch changes, in the order of their ids: two batches that locked them in different orders
 * would wait for each other.
 */
export const LOCK = 'SELECT 1 FROM cart_service.orders WHERE order_id = ANY($1) ORDER BY order_id FOR UPDATE';

export const SETTLE = `
  DELETE FROM cart_service.outbox x USING unnest($1::text[], $2::text[]) AS s (order_id, event_id)
  WHERE x.order_id = s.order_id AND x.event_id = s.event_id`;

/** The first of several acknowledgements counts: an instance that was away may publish an event again, behind others. */
export const SET_AHEAD = `
  UPDATE cart_service.orders o SET ahead_topic = t.number,
    ahead = CASE WHEN o.ahead_topic = t.number THEN least(o.ahead, a.next) ELSE a.next END
  FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS a (order_id, version, next), cart_service.topic t
  WHERE o.order_id = a.order_id AND o.version = a.version`;

export const NEW_TOPIC = `
  UPDATE cart_service.topic SET number = number + 1, topic_id = $1 WHERE topic_id IS DISTINCT FROM $1`;

/** $5: whether an event is dropped for good; then it does not matter who holds it. */
export const TAKE_BACK = `
  WITH t AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::boolean[], $6::bigint[], $7::text[])
      AS t (order_id, event_id, version, status, is_dropped, previous_version, previous_status)
  ), gone AS (
    DELETE FROM cart_service.outbox x USING t
    WHERE x.order_id = t.order_id AND x.event_id = t.event_id
      AND (t.is_dropped OR (x.instance = $8 AND NOT x.taken_over))
    RETURNING t.*
  ), deleted AS (
    DELETE FROM cart_service.orders o USING gone g
    WHERE o.order_id = g.order_id AND o.version = g.version AND o.status = g.status AND o.logged < o.version
      AND g.previous_version IS NULL
  ), restored AS (
    UPDATE cart_service.orders o SET version = g.previous_version, status = g.previous_status, ahead = NULL FROM gone g
    WHERE o.order_id = g.order_id AND o.version = g.version AND o.status = g.status AND o.logged < o.version
      AND g.previous_version IS NOT NULL
  )
  SELECT order_id FROM gone`;

export const LEARN = `
  INSERT INTO cart_service.orders AS o (order_id, version, status, logged, pending)
  SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::boolean[]) AS l (order_id) ORDER BY order_id
  ON CONFLICT (order_id) DO UPDATE SET
    status = CASE WHEN excluded.version >= o.version THEN excluded.status ELSE o.status END,
    version = greatest(o.version, excluded.version),
    logged = greatest(o.logged, excluded.logged),
    pending = excluded.pending`;

/** Creates orders, or moves them on if they are as they were decided on and nothing is open; stores the events of those. */
export const DECIDE = `
  WITH d AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::text[])
      AS d (order_id, version, status, previous_version, previous_status) ORDER BY order_id
  ), created AS (
    INSERT INTO cart_service.orders (order_id, version, status)
    SELECT order_id, version, status FROM d WHERE previous_version IS NULL ORDER BY order_id
    ON CONFLICT DO NOTHING RETURNING order_id
  ), moved AS (
    UPDATE cart_service.orders o SET version = d.version, status = d.status, ahead = NULL FROM d
    WHERE o.order_id = d.order_id AND o.version = d.previous_version AND o.status = d.previous_status
      AND NOT EXISTS (SELECT 1 FROM cart_service.outbox x WHERE x.order_id = o.order_id)
    RETURNING o.order_id
  ), kept AS (
    SELECT order_id FROM created UNION ALL SELECT order_id FROM moved
  ), stored AS (
    INSERT INTO cart_service.outbox (order_id, event_id, seq, fingerprint, idempotency_key, headers, value, instance)
    SELECT e.*, $13 FROM unnest($6::text[], $7::text[], $8::bigint[], $9::text[], $10::text[], $11::text[], $12::text[])
      AS e (order_id) JOIN kept USING (order_id)
  )
  SELECT order_id FROM kept`;

export const SET_POSITIONS = `
  INSERT INTO cart_service.positions AS p (partition, topic_id, next)
  SELECT * FROM unnest($1::int[], $2::text[], $3::bigint[]) AS s (partition) ORDER BY partition
  ON CONFLICT (partition) DO UPDATE SET topic_id = excluded.topic_id,
    next = CASE WHEN p.topic_id = excluded.topic_id THEN greatest(p.next, excluded.next) ELSE excluded.next END`;

export const RECORD = `
  INSERT INTO cart_service.idempotency_keys (key, fingerprint, order_id, refusal, created_at)
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) AS r (key) ORDER BY key
  ON CONFLICT DO NOTHING RETURNING key`;

export const FORGET_KEYS = 'DELETE FROM cart_service.idempotency_keys WHERE key = ANY($1)';

export const KEEP_UNANSWERED = `
  INSERT INTO cart_service.unanswered (order_id, fingerprint, at)
  SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) AS u (order_id, fingerprint) ORDER BY order_id, fingerprint
  ON CONFLICT (order_id, fingerprint) DO UPDATE SET at = excluded.at`;

export const FORGET_UNANSWERED = `
  DELETE FROM cart_service.unanswered u USING unnest($1::text[], $2::text[]) AS f (order_id, fingerprint)
  WHERE u.order_id = f.order_id AND u.fingerprint = f.fingerprint`;

/** Bounds the work of one batch, so that a backlog of old keys does not hold it up. Instances do not wait for each other. */
const EXPIRED_AT_A_TIME = 500;

export const EXPIRE_KEYS = `
  DELETE FROM cart_service.idempotency_keys WHERE key IN (
    SELECT key FROM cart_service.idempotency_keys WHERE created_at < $1 ORDER BY created_at
    LIMIT ${EXPIRED_AT_A_TIME} FOR UPDATE SKIP LOCKED)`;

export const EXPIRE_UNANSWERED = `
  DELETE FROM cart_service.unanswered WHERE (order_id, fingerprint) IN (
    SELECT order_id, fingerprint FROM cart_service.unanswered WHERE at < $1 ORDER BY at
    LIMIT ${EXPIRED_AT_A_TIME} FOR UPDATE SKIP LOCKED)`;

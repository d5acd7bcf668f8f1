import type { Database } from '#service_common/postgres/database.ts';
import { STREAM_START, type ViewQueries } from '#order_service/consumer_db.ts';
import { toStoredEvent } from './rows.ts';
import { movingFrom, moveTo, placeColumns, placeFromText, placeToText, type StreamPlace } from './stream_place.ts';

/**
 * The stream of all events. Instances commit side by side, so no number orders the events: one that is higher can be
 * there first. But the events of one partition come in the order of the log, because each transaction locks the position
 * of its partitions. So a place is an offset for each partition, and what comes after it can never appear before it.
 */
export const createStreamQueries = (
  database: Database,
  viewId: string,
): Pick<ViewQueries, 'eventsAfter' | 'lastEventId' | 'missedSince'> => {
  const idOf = (place: StreamPlace): string => (place.size === 0 ? STREAM_START : `${viewId}-${placeToText(place)}`);

  /** The place that an id of this view names; null if it is another text. */
  const placeIn = (id: string): StreamPlace | null => {
    if (id === STREAM_START) return new Map();
    const [, view, text = ''] = EVENT_ID.exec(id) ?? [];
    return view === viewId ? placeFromText(text) : null;
  };

  return {
    eventsAfter: async (after, limit, upTo) => {
      const place = movingFrom(placeIn(after) ?? new Map());
      const end = upTo === undefined ? null : (placeIn(upTo) ?? new Map());
      const values = [...placeColumns(place), limit, end !== null, ...placeColumns(end ?? new Map())];
      const rows = await database.query(EVENTS_AFTER, values);
      return rows.map((row) => {
        const event = toStoredEvent(row);
        moveTo(place, Number(row['topic_number']), event.partition, event.offset + 1);
        return { ...event, id: idOf(place) };
      });
    },
    lastEventId: async () => {
      const place = new Map<number, Map<number, number>>();
      for (const { topic_number: topic, partition, next } of await database.query(POSITIONS))
        moveTo(place, Number(topic), Number(partition), Number(next));
      return idOf(place);
    },
    missedSince: async (id, limit) => {
      const place = placeIn(id);
      if (place === null) return null;
      const [row] = await database.query(MISSED, [...placeColumns(place), limit]);
      return row?.['is_lost'] === true ? null : Math.min(limit, Number(row?.['missed']));
    },
  };
};

const EVENT_ID = /^([0-9a-f]{16})-([0-9A-Za-z_-]{1,8000})$/;

const POSITIONS = 'SELECT topic_number, partition, next FROM order_service.positions WHERE next > 0';

/** The partitions that have something after a place. The topic of a place can be a former one by now. */
const PLACES = `
  after AS (SELECT * FROM unnest($1::int[], $2::int[], $3::bigint[]) AS a(topic_number, partition, first)),
  places AS (
    SELECT coalesce(a.topic_number, p.topic_number) AS topic_number, coalesce(a.partition, p.partition) AS partition,
           coalesce(a.first, 0) AS first
    FROM after a FULL JOIN order_service.positions p ON p.topic_number = a.topic_number AND p.partition = a.partition
    WHERE p.next IS NULL OR p.next > coalesce(a.first, 0)
  )`;

/** The sequence rises with the offsets of a partition. So the first rows by sequence are the first ones of each partition. */
const EVENTS_AFTER = `
  WITH ${PLACES},
  ends AS (SELECT * FROM unnest($6::int[], $7::int[], $8::bigint[]) AS u(topic_number, partition, last))
  SELECT found.* FROM places
  LEFT JOIN ends USING (topic_number, partition)
  CROSS JOIN LATERAL (
    SELECT * FROM order_service.events e
    WHERE e.topic_number = places.topic_number AND e.partition = places.partition AND e."offset" >= places.first
      AND e."offset" < CASE WHEN $5 THEN coalesce(ends.last, 0) ELSE 9223372036854775807 END
    ORDER BY e."offset" LIMIT $4
  ) found
  ORDER BY found.sequence LIMIT $4`;

/** A place is lost if its topic was made again, or if it is ahead of the view, which was restored from an older copy. */
const MISSED = `
  WITH ${PLACES}
  SELECT
    EXISTS (
      SELECT FROM after a LEFT JOIN order_service.positions p USING (topic_number, partition)
      WHERE p.next IS NULL OR a.first > p.next
    ) AS is_lost,
    (SELECT coalesce(sum((
       SELECT count(*) FROM (
         SELECT FROM order_service.events e
         WHERE e.topic_number = places.topic_number AND e.partition = places.partition AND e."offset" >= places.first
         LIMIT $4
       ) counted
     )), 0)::bigint FROM places) AS missed`;

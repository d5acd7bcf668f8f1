import Type, { type TSchema } from 'typebox';
import { id, instant, LIMITS } from './field_kinds.ts';
import { propertiesOf } from './fields.ts';
import { ORDER, ORDER_ID, STATUS } from './models.ts';

/**
 * The events as JSON. `ACCEPTED` is what the Order Service reads, whoever wrote it. `WRITTEN` is what the Cart Service
 * writes and consumers may rely on; it is a part of `ACCEPTED`. `tests/compatibility` compares both with those of
 * earlier versions.
 */

const ENVELOPE = { eventId: id(), timestamp: instant(), orderId: ORDER_ID };

const Version = Type.Integer({
  minimum: 1,
  maximum: LIMITS.version,
  description: 'Counts the events of one order from 1; without it they are applied in order of arrival',
});

const eventSchemas = <P extends 'accepted' | 'written', V extends TSchema>(place: P, version: V) => {
  const envelope = { ...propertiesOf(ENVELOPE, place), version };
  return {
    ORDER_CREATED: Type.Object({
      ...envelope,
      event_type: Type.Literal('ORDER_CREATED'),
      order: Type.Object(propertiesOf(ORDER, place)),
    }),
    ORDER_STATUS_UPDATED: Type.Object({
      ...envelope,
      event_type: Type.Literal('ORDER_STATUS_UPDATED'),
      status: STATUS[place],
    }),
  };
};

export const ACCEPTED = eventSchemas('accepted', Type.Optional(Version));

export const WRITTEN = eventSchemas('written', Version);

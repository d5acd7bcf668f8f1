import type { OrderStatus } from '#kafka_common/models.ts';
import type { Exchange } from './evidence.ts';

/** What the rules ask of one exchange. */

type Asked = Pick<Exchange, 'request'>;

/** The idempotency key. */
export const keyOf = ({ request }: Asked): string | null => (request.kind === 'read' ? null : (request.key ?? null));
/** Of a create. */
export const bodyOf = ({ request }: Asked): string | undefined =>
  request.kind === 'create' ? request.body : undefined;
/** That an update asks for. */
export const statusOf = ({ request }: Asked): OrderStatus | null => (request.kind === 'update' ? request.status : null);

export const succeeded = ({ answer }: Exchange): boolean => answer?.status === 200;
/** The service may have received the request, and nobody knows its answer. */
export const isLost = ({ answer, refusedConnection }: Exchange): boolean =>
  answer === null && refusedConnection !== true;
export const isUnknown = ({ answer }: Exchange): boolean => answer?.outcome === 'unknown';
/** The event of the request may be written, now or later. */
export const isUncertain = (exchange: Exchange): boolean => isLost(exchange) || isUnknown(exchange);
export const mayTakeEffect = (exchange: Exchange): boolean => succeeded(exchange) || isUncertain(exchange);

import type { DeadLetter } from '#order_service/consumer_db.ts';

/** The headers of a dead letter as JSON, with their bytes in Base64. */

type Headers = DeadLetter['headers'];

export const headersToText = (headers: Headers): string =>
  JSON.stringify(headers.map(([name, value]) => [name, value?.toString('base64') ?? null]));

export const headersFromText = (text: string): Headers =>
  (JSON.parse(text) as [string, string | null][]).map(([name, value]) => [
    name,
    value === null ? null : Buffer.from(value, 'base64'),
  ]);

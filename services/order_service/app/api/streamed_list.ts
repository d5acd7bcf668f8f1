import { Readable } from 'node:stream';
import Type, { type TSchema } from 'typebox';

/** The schema of an answer that is streamed: it describes the JSON that the stream carries. */
export const streamed = (schema: TSchema) => Type.Unsafe<Readable>(schema);

/**
 * The JSON `{...head, [name]: [...items]}`, written one page at a time and only as fast as the client reads. It begins
 * with the first page, so that a failure to read that page can still become an error answer.
 */
export const streamList = (
  head: Readonly<Record<string, unknown>>,
  name: string,
  pages: AsyncIterable<readonly unknown[]>,
): Readable => Readable.from(listText(head, name, pages));

async function* listText(
  head: Readonly<Record<string, unknown>>,
  name: string,
  pages: AsyncIterable<readonly unknown[]>,
): AsyncGenerator<string> {
  const opening = JSON.stringify({ ...head, [name]: [] }).slice(0, -2);
  let before = opening;
  for await (const page of pages) {
    if (page.length === 0) continue;
    yield before + page.map((item) => JSON.stringify(item)).join(',');
    before = ',';
  }
  yield before === opening ? `${opening}]}` : ']}';
}

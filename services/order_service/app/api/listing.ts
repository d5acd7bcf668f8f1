import { Readable } from 'node:stream';

/**
 * The JSON `{...head, [name]: [...items]}`, written a page at a time and only as fast as it is read. Nothing is written
 * before the first page is there, so that a failure of the first look is still an error answer.
 */
export const streamListing = (
  head: Readonly<Record<string, unknown>>,
  name: string,
  pages: AsyncIterable<readonly unknown[]>,
): Readable => Readable.from(listingText(head, name, pages));

async function* listingText(
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

import type { HeaderList, Headers } from './broker.ts';

export const isHeaderList = (headers: Headers): headers is HeaderList => Array.isArray(headers);

/** Headers as they are read back. */
export const headerList = (headers: Headers): HeaderList =>
  isHeaderList(headers) ? headers : Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]);

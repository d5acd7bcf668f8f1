import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import { Problem, validationProblem } from '#service_common/errors.ts';
import type { HttpApp } from './http_app.ts';

/** Fields whose names are dangerous to copy are ignored, like all unknown fields. */
const POISONING = 'remove';

/**
 * JSON bodies are UTF-8 (RFC 8259, section 8.1). Other bytes would be replaced while decoding: the text would be garbled,
 * and two different bodies would be one request.
 */
export const readJsonBodies = (app: HttpApp): void => {
  const parse = app.getDefaultJsonParser(POISONING, POISONING);
  app.removeContentTypeParser(['application/json', 'text/plain']);
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const problem = problemOf(request.headers, body);
    if (problem === null) void parse(request, body.toString(), done);
    else done(problem);
  });
};

const NOT_UTF8 = 'is not UTF-8; send JSON in UTF-8';

const problemOf = (headers: IncomingHttpHeaders, body: Buffer): Problem | null => {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    return new Problem('UnsupportedMediaType', 'send the body without `Content-Encoding`');
  }
  if (!charsetsOf(headers['content-type']).every(isUtf8Name)) {
    return new Problem('UnsupportedMediaType', 'send the body as `application/json` in UTF-8, without another charset');
  }
  return isUtf8(body) ? null : validationProblem([{ field: 'body', message: NOT_UTF8 }]);
};

const CHARSET = /;\s*charset\s*=\s*("[^"]*"|[^;]*)/gi;

const charsetsOf = (contentType: string | undefined): string[] =>
  contentType?.includes(';') ? Array.from(contentType.matchAll(CHARSET), ([, charset = '']) => charset) : [];

const isUtf8Name = (charset: string): boolean => /^"?utf-?8"?$/i.test(charset.trim());

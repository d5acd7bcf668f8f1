import { SETTINGS } from '#kafka_common/config.ts';
import { ERRORS } from '#service_common/errors.ts';

/** The pages of the documentation that are made from the code, by their path in the repository. */
export const referencePages = (): ReadonlyMap<string, string> =>
  new Map([
    ['docs/settings.md', settingsPage()],
    ['docs/errors.md', errorsPage()],
  ]);

const GENERATED = '<!-- Made from the code by `npm run docs`: change it there. -->';

const settingsPage = (): string => {
  const rows = Object.entries(SETTINGS).map(([name, { schema, allowed, description }]) => {
    const initial = (schema as { default?: unknown }).default;
    return [`\`${name}\``, initial === '' ? '(empty)' : `\`${String(initial)}\``, allowed, description];
  });
  return page(
    'Settings',
    'Read from the environment at start, by both services. A variable that is set but empty counts as not set. A wrong one stops the start with a line that names it, its value and what is allowed.',
    ['Variable', 'Default', 'Allowed', 'Meaning'],
    rows,
  );
};

const errorsPage = (): string =>
  page(
    'Errors',
    'Every error answer of both services is `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail` and one of these as `code`. `ValidationFailed` lists the fields in `errors`; an error of a command that reached the write path has `outcome`, and a 503 `Retry-After` in seconds.',
    ['Code', 'Status', 'Title', 'Meaning, and what to do'],
    Object.entries(ERRORS)
      .toSorted(([, a], [, b]) => a.status - b.status)
      .map(([code, { status, title, meaning }]) => [`\`${code}\``, String(status), title, meaning]),
  );

const page = (title: string, introduction: string, head: string[], rows: string[][]): string =>
  [`# ${title}`, GENERATED, introduction, [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')].join(
    '\n\n',
  ) + '\n';

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

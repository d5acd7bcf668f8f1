import { execFileSync, spawnSync } from 'node:child_process';

/** promtool, of Debian's package `prometheus`: what Prometheus itself says of rules and names. */

const isThere = spawnSync('promtool', ['--version']).status === 0;

/** Why tests that need it are skipped, or false. @throws where it is asked for (`REQUIRE_PROMTOOL=1`) and missing */
export const withoutPromtool = (): string | false => {
  if (isThere) return false;
  if (process.env['REQUIRE_PROMTOOL'] === '1') throw new Error('promtool is missing: install the package prometheus');
  return 'promtool is not there (apt-get install prometheus)';
};

/** @throws with what it says where it finds something wrong */
export const promtool = (
  args: readonly string[],
  options: { readonly cwd?: string; readonly input?: string },
): string => execFileSync('promtool', args, { ...options, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });

/** The names of metrics in an expression, and those of labels. */
export const namesIn = (expression: string): { metrics: string[]; labels: string[] } => {
  const labels: string[] = [];
  const bare = expression
    .replaceAll(/"[^"]*"/g, '""')
    .replaceAll(/\{([^}]*)\}/g, (_, matchers: string) => {
      labels.push(...Array.from(matchers.matchAll(/([a-z_]+)\s*[=!]/g), ([, label = '']) => label));
      return ' ';
    })
    .replaceAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g, (_, list: string) => {
      labels.push(...list.split(',').map((label) => label.trim()));
      return ' ';
    })
    .replaceAll(/\[[^\]]*\]/g, ' ');
  const metrics = Array.from(bare.matchAll(/\b[a-z][a-z0-9_]*\b(?!\s*\()/g), ([name]) => name);
  return { metrics: metrics.filter((name) => !OPERATORS.includes(name)), labels };
};

const OPERATORS = ['and', 'or', 'unless', 'sum', 'max', 'min', 'avg', 'count'];

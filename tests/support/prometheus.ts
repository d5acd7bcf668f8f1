import { execFileSync, spawnSync } from 'node:child_process';

/** Runs promtool, Prometheus' own check of rules and metric names. Debian has it in the package `prometheus`. */

const isThere = spawnSync('promtool', ['--version']).status === 0;

/** Why tests that need promtool are skipped, or false. @throws Error if `REQUIRE_PROMTOOL=1` and it is missing */
export const withoutPromtool = (): string | false => {
  if (isThere) return false;
  if (process.env['REQUIRE_PROMTOOL'] === '1') throw new Error('promtool is missing: install the package prometheus');
  return 'promtool is not installed (apt-get install prometheus)';
};

/** @returns what promtool prints @throws Error with what it prints, if it finds something wrong */
export const promtool = (
  args: readonly string[],
  options: { readonly cwd?: string; readonly input?: string },
): string => execFileSync('promtool', args, { ...options, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });

/** The names of the metrics and of the labels in a PromQL expression. */
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

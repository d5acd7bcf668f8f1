import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const OLDEST_JAVA = 17;
const MAVEN_TIMEOUT_MS = 300_000;

const run = promisify(execFile);

/** The Java of JAVA_HOME if it is set, as in Kafka's scripts and in Maven. */
export function javaCommand(): string {
  const home = process.env['JAVA_HOME'];
  return home ? join(home, 'bin', 'java') : 'java';
}

/** Why Java cannot run a broker here; undefined if it can. */
export async function javaProblem(): Promise<string | undefined> {
  try {
    const { stderr } = await run(javaCommand(), ['-version']);
    const version = Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0);
    return version >= OLDEST_JAVA ? undefined : `Java ${version} is older than ${OLDEST_JAVA}`;
  } catch {
    return 'Java is not installed';
  }
}

export async function mavenProblem(): Promise<string | undefined> {
  try {
    await maven(['-version']);
    return undefined;
  } catch {
    return 'Maven is not installed';
  }
}

/** @param args constants without spaces: on Windows Maven is a batch file, which only cmd.exe can start */
export async function maven(args: string[], cwd = '.'): Promise<void> {
  const [command, prefix] = process.platform === 'win32' ? ['cmd.exe', ['/d', '/c', 'mvn']] : ['mvn', []];
  await run(command, [...prefix, ...args], { cwd, timeout: MAVEN_TIMEOUT_MS });
}

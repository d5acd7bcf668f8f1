import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { maven } from './java.ts';

export const KAFKA_VERSION = '4.3.0';

/** The version of Log4j in this Kafka. Its SLF4J binding is missing from the broker's dependencies. */
const LOG4J_VERSION = '2.25.4';

/** Under the repository root, ignored by git. */
export const KAFKA_FOLDER = join(import.meta.dirname, '..', '..', '.kafka');

const VERSION_FOLDER = join(KAFKA_FOLDER, KAFKA_VERSION);

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>order-events</groupId>
  <artifactId>kafka-for-tests</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${KAFKA_VERSION}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>${LOG4J_VERSION}</version></dependency>
  </dependencies>
</project>
`;

export function kafkaJarsAreHere(): boolean {
  return existsSync(VERSION_FOLDER);
}

/** The Java class path of the broker. Java itself expands the star, on every system. */
export async function kafkaClassPath(): Promise<string> {
  if (!kafkaJarsAreHere()) await downloadJars();
  return join(VERSION_FOLDER, 'libs', '*');
}

/** Downloads into a new folder and renames it at the end, so an aborted download never counts as complete. */
async function downloadJars(): Promise<void> {
  await mkdir(KAFKA_FOLDER, { recursive: true });
  const folder = await mkdtemp(join(KAFKA_FOLDER, 'download-'));
  try {
    await writeFile(join(folder, 'pom.xml'), POM);
    await maven(
      [
        '-q',
        '-B',
        '-Dstyle.color=never',
        'dependency:copy-dependencies',
        '-DincludeScope=runtime',
        '-DoutputDirectory=libs',
      ],
      folder,
    );
    await rename(folder, VERSION_FOLDER).catch(unlessAnotherWasFirst);
  } catch (error) {
    throw new Error(`Maven could not fetch Apache Kafka ${KAFKA_VERSION}: ${mavenOutput(error)}`, { cause: error });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function unlessAnotherWasFirst(error: unknown): void {
  if (!kafkaJarsAreHere()) throw error;
}

/** Maven reports its errors on standard output. */
function mavenOutput(error: unknown): string {
  const output = error instanceof Error && 'stdout' in error ? String(error.stdout).trim() : '';
  return output.split('\n')[0] || String(error);
}

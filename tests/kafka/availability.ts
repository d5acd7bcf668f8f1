import { docker } from './docker_broker.ts';
import { javaProblem, mavenProblem } from './java.ts';
import { kafkaJarsAreHere } from './kafka_jars.ts';

type KafkaStarter = { kind: 'java' } | { kind: 'docker' } | { kind: 'none'; reason: string };

type KafkaAvailability = { kind: 'given'; bootstrapServers: string } | KafkaStarter;

/** The Kafka that the tests share: the brokers in `KAFKA_BOOTSTRAP_SERVERS`, else one that must be started. */
export async function kafkaAvailability(): Promise<KafkaAvailability> {
  const bootstrapServers = process.env['KAFKA_BOOTSTRAP_SERVERS'];
  return bootstrapServers ? { kind: 'given', bootstrapServers } : kafkaStarter();
}

/** How this machine can start its own broker, which tests can kill and pause. */
export async function kafkaStarter(): Promise<KafkaStarter> {
  const problem = (await javaProblem()) ?? (kafkaJarsAreHere() ? undefined : await mavenProblem());
  if (!problem) return { kind: 'java' };
  if (await dockerRuns()) return { kind: 'docker' };
  return { kind: 'none', reason: `needs Java 17 or newer with Maven, or Docker: ${problem}, Docker does not run` };
}

async function dockerRuns(): Promise<boolean> {
  try {
    await docker('version');
    return true;
  } catch {
    return false;
  }
}

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { NODE_FLAGS, PROCESS_ENV } from '#service_common/process_settings.ts';
import { KAFKA_VERSION } from '#tests/kafka/apache_kafka.ts';

interface ComposeService {
  image?: string;
  build?: string;
  command?: string[];
  extends?: { file: string; service: string };
  environment?: Record<string, string | number>;
  ports?: string[];
  volumes?: string[];
  healthcheck?: { test: string[] };
}

interface ComposeFile {
  name: string;
  include?: string[];
  services: Record<string, ComposeService>;
  volumes?: Record<string, null>;
}

const ROOT = join(import.meta.dirname, '..');
const KAFKA = 'docker-compose-kafka.yml';
const SYSTEM = 'docker-compose.yml';
const APPS = [
  {
    service: 'cart-service',
    port: '${CART_PORT:-8000}:8000',
    main: 'services/cart_service/main.ts',
    standalone: 'services/cart_service/docker-compose-producer.yml',
  },
  {
    service: 'order-service',
    port: '${ORDER_PORT:-8001}:8001',
    main: 'services/order_service/main.ts',
    standalone: 'services/order_service/docker-compose-consumer.yml',
  },
];
const INCLUDING = [SYSTEM, 'docker-compose.dev.yml', ...APPS.map((app) => app.standalone)];

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const compose = (file: string): ComposeFile => parse(read(file)) as ComposeFile;
/** Paths in a compose file are relative to that file. */
const named = (file: string, path: string): string =>
  relative(ROOT, join(ROOT, dirname(file), path)).replaceAll('\\', '/');

const broker = compose(KAFKA).services['kafka'] ?? {};

for (const file of INCLUDING) {
  test(`${file} includes the one Kafka file, in the same project, and does not change it`, () => {
    const { name, include, services } = compose(file);
    assert.equal(name, compose(KAFKA).name);
    assert.deepEqual(
      include?.map((path) => named(file, path)),
      [KAFKA],
    );
    assert.ok(!('kafka' in services));
  });
}

for (const { service, port, main, standalone } of APPS) {
  test(`${service} runs its own main from the image, on its port, with its data on a volume`, () => {
    const { services, volumes } = compose(SYSTEM);
    const app = services[service];
    assert.equal(app?.build, '.');
    assert.deepEqual(app.command, [main]);
    assert.deepEqual(app.ports, [port]);
    const [volume, folder] = app.volumes?.[0]?.split(':') ?? [];
    assert.ok(volume && volumes && volume in volumes);
    assert.match(read('Dockerfile'), new RegExp(`DATA_DIR=${folder}\\b`));
    assert.match(app.healthcheck?.test.join(' ') ?? '', new RegExp(`:${port.split(':').at(-1)}/health/ready`));
  });

  test(`${service} uses the address that Kafka advertises to containers`, () => {
    const bootstrapServers = compose(SYSTEM).services[service]?.environment?.['KAFKA_BOOTSTRAP_SERVERS'];
    const advertised = String(broker.environment?.['KAFKA_ADVERTISED_LISTENERS']).split(',');
    assert.ok(advertised.includes(`INTERNAL://${bootstrapServers}`));
  });

  test(`${standalone} runs ${service} with the settings of the whole system`, () => {
    const { services, volumes } = compose(standalone);
    assert.deepEqual(Object.keys(services), [service]);
    assert.equal(named(standalone, services[service]?.extends?.file ?? ''), SYSTEM);
    assert.equal(services[service]?.extends?.service, service);
    assert.deepEqual(Object.keys(volumes ?? {}), [compose(SYSTEM).services[service]?.volumes?.[0]?.split(':')[0]]);
  });
}

test('Kafka in containers is the version that the tests run, on a volume, with a health check', () => {
  assert.equal(broker.image, `apache/kafka:${KAFKA_VERSION}`);
  assert.deepEqual(broker.ports, ['127.0.0.1:${KAFKA_PORT:-9092}:9092']);
  assert.deepEqual(broker.volumes, [`kafka-data:${broker.environment?.['KAFKA_LOG_DIRS']}`]);
  assert.ok(broker.healthcheck);
});

test('the image has the major version of Node that the tests run', () => {
  const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: { node: string } };
  assert.match(read('Dockerfile'), new RegExp(`^FROM node:${devDependencies.node.split('.')[0]}-slim$`, 'm'));
});

test('the image runs Node as npm start does', () => {
  const entrypoint = JSON.stringify(['node', ...NODE_FLAGS]).replaceAll(',', ', ');
  assert.ok(read('Dockerfile').includes(`ENTRYPOINT ${entrypoint}`));
  assert.match(read('Dockerfile'), new RegExp(`^ENV .*\\bMALLOC_ARENA_MAX=${PROCESS_ENV['MALLOC_ARENA_MAX']}$`, 'm'));
});

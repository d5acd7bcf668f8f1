import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ConfigError } from '#service_common/config.ts';
import { type Config, readConfig, SETTINGS } from './config.ts';

const NAME = 'a name of 1 to 200 letters, digits, dots, dashes and underscores, and neither `.` nor `..`';
const PORT = 'a port number, 0 to 65535 (0: any free port)';
const SERVERS = 'host:port, several separated by commas without spaces';

type SettingName = (typeof SETTINGS)[keyof typeof SETTINGS]['name'];

const NAMES: readonly SettingName[] = Object.values(SETTINGS).map(({ name }) => name);

const WRONG: readonly (readonly [SettingName, readonly string[], string])[] = [
  ['CART_PORT', ['-1', '65536', '80.5', 'http', 'true', 'null'], PORT],
  ['ORDER_PORT', ['-1', '65536', '80.5', 'http'], PORT],
  ['HOST', ['h'.repeat(256)], 'a host name or an address of this machine'],
  ['KAFKA_BOOTSTRAP_SERVERS', ['kafka', 'kafka:', ':9092', 'a:1,', 'a:1, b:2', 'a:1;b:2', 'http://a:1'], SERVERS],
  ['ORDERS_TOPIC', ['a b', 'orders/events', 'ä', 't'.repeat(201), '.', '..'], NAME],
  ['TOPIC_PARTITIONS', ['0', '1001', '6.5', 'many'], 'a whole number from 1 to 1000'],
  ['CONSUMER_GROUP', ['a b', 'g'.repeat(201)], NAME],
  [
    'CONSUMER_MEMBER_ID',
    ['a b', 'm'.repeat(201)],
    'a name of at most 200 letters, digits, dots, dashes and underscores',
  ],
  ['REQUEST_DEADLINE_MS', ['99', '60001', '5s'], 'a whole number from 100 to 60000'],
  ['QUEUE_LIMIT', ['0', '1000001', '-1'], 'a whole number from 1 to 1000000'],
  [
    'CONSOLE_CART_URL',
    ['localhost:8000', 'http://a/b', 'http://a; script-src *'],
    'http:// or https://, a host, a port if it needs one, and nothing after that',
  ],
  [
    'CONSOLE_ORIGINS',
    ['*', 'http://a,', 'http://a, http://b', 'http://a/'],
    'addresses as a browser shows them, up to the port, several separated by commas without spaces',
  ],
  ['LOG_LEVEL', ['INFO', 'verbose'], 'one of trace, debug, info, warn, error, fatal, silent'],
  ['LOG_FORMAT', ['JSON', 'text'], 'one of auto, json, pretty'],
];

const refusalOf = (environment: Record<string, string>): string => {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return assert.fail(`${JSON.stringify(environment)} was accepted`);
};

describe('a setting', () => {
  for (const [name, values, allowed] of WRONG) {
    test(`${name} that is wrong is refused in one line with its value and what is allowed`, () => {
      for (const value of values) {
        assert.equal(refusalOf({ [name]: value }), `${name} is ${JSON.stringify(value)}, but must be ${allowed}`);
      }
    });
  }

  test('has a wrong value above, except DATA_DIR, which takes any text, and what is secret', () => {
    const covered = WRONG.map(([name]) => name);
    assert.deepEqual(
      NAMES.filter((name) => !covered.includes(name)),
      ['DATA_DIR', 'DATABASE_URL', 'DATABASE_PASSWORD'],
    );
  });

  test('that is wrong beside others has a line of its own', () => {
    const wrong = Object.fromEntries(WRONG.map(([name, [value]]) => [name, value ?? '']));
    const names = refusalOf(wrong)
      .split('\n')
      .map((line) => line.split(' ', 1)[0] ?? '');
    assert.deepEqual(names.toSorted(), WRONG.map(([name]) => name).toSorted());
  });
});

const DEFAULTS = {
  cartPort: 8000,
  orderPort: 8001,
  host: 'localhost',
  dataDir: join('data', 'embedded'),
  database: null,
  kafkaBootstrapServers: [],
  ordersTopic: 'orders.events',
  topicPartitions: 6,
  consumerGroup: 'order-service',
  consumerMemberId: `${hostname().replace(/[^a-zA-Z0-9._-]/g, '-')}-8001`,
  requestDeadlineMs: 5_000,
  queueLimit: 2_000,
  consoleCartUrl: 'http://localhost:8000',
  consoleOrigins: ['http://localhost:8001', 'http://127.0.0.1:8001'],
  logLevel: 'info',
  logFormat: 'auto',
};

/** Names the variable, and says what is allowed. The address of the database is a secret, so its value is not shown. */
const REFUSED = /^(?:[A-Z_]+ is ".*", but must be .+|DATABASE_(?:URL|PASSWORD) (?:is|has|begins) .+; .+)$/;

/** The config without `settings`, which is the list for people. */
const fieldsOf = (environment: Record<string, string>): Omit<Config, 'settings'> => {
  const { settings: _settings, ...fields } = readConfig(environment);
  return fields;
};

describe('the settings', () => {
  test('of an empty environment are the defaults, and other variables are ignored', () => {
    assert.deepEqual(fieldsOf({}), DEFAULTS);
    assert.deepEqual(fieldsOf({ PATH: '/bin', cart_port: '1', CART_PORTS: '1' }), DEFAULTS);
  });

  test('that are empty or blank count as not set', () => {
    for (const blank of ['', ' ', '\t']) {
      assert.deepEqual(fieldsOf(Object.fromEntries(NAMES.map((name) => [name, blank]))), DEFAULTS);
    }
  });

  test('that are set are taken, without the blanks around them', () => {
    const given = {
      CART_PORT: '0',
      ORDER_PORT: '65535 ',
      HOST: '0.0.0.0',
      DATA_DIR: '/var/lib/my orders',
      DATABASE_URL: 'postgres://me@db.example/orders',
      DATABASE_PASSWORD: 'p w',
      KAFKA_BOOTSTRAP_SERVERS: 'kafka-1:9092,10.0.0.2:19092',
      ORDERS_TOPIC: 'Orders_v2.events-test',
      TOPIC_PARTITIONS: '1000',
      CONSUMER_GROUP: 'g',
      CONSUMER_MEMBER_ID: 'order-service-1',
      REQUEST_DEADLINE_MS: '100',
      QUEUE_LIMIT: '1',
      CONSOLE_CART_URL: 'https://shop.example',
      CONSOLE_ORIGINS: 'http://10.0.0.2:8001,http://[::1]:8001',
      LOG_LEVEL: 'silent',
      LOG_FORMAT: 'pretty',
    } satisfies Record<SettingName, string>;
    assert.deepEqual(fieldsOf(given), {
      cartPort: 0,
      orderPort: 65_535,
      host: '0.0.0.0',
      dataDir: join('/var/lib/my orders', 'kafka'),
      database: {
        host: 'db.example',
        port: 5432,
        database: 'orders',
        user: 'me',
        password: 'p w',
        ssl: false,
        text: 'db.example:5432/orders',
      },
      kafkaBootstrapServers: ['kafka-1:9092', '10.0.0.2:19092'],
      ordersTopic: 'Orders_v2.events-test',
      topicPartitions: 1_000,
      consumerGroup: 'g',
      consumerMemberId: 'order-service-1',
      requestDeadlineMs: 100,
      queueLimit: 1,
      consoleCartUrl: 'https://shop.example',
      consoleOrigins: ['http://10.0.0.2:8001', 'http://[::1]:8001'],
      logLevel: 'silent',
      logFormat: 'pretty',
    });
  });

  test('are listed with the values in force, and with whether they were set', () => {
    const { settings } = readConfig({ CART_PORT: ' 9000 ', HOST: '' });
    assert.deepEqual(
      settings.map(({ name }) => name),
      NAMES,
    );
    assert.deepEqual(settings[0], { name: 'CART_PORT', value: '9000', isDefault: false });
    assert.deepEqual(
      settings.find(({ name }) => name === 'HOST'),
      { name: 'HOST', value: 'localhost', isDefault: true },
    );
  });

  test('of two Order Services on one machine name different members', () => {
    assert.notEqual(readConfig({ ORDER_PORT: '1' }).consumerMemberId, readConfig({ ORDER_PORT: '2' }).consumerMemberId);
  });

  test('with any values are read, or refused with a ConfigError', () => {
    const environment = fc.dictionary(fc.constantFrom(...NAMES), fc.oneof(fc.string(), fc.nat().map(String)));
    fc.assert(
      fc.property(environment, (given) => {
        try {
          assert.deepEqual(Object.keys(fieldsOf(given)).toSorted(), Object.keys(DEFAULTS).toSorted());
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
          for (const line of error.message.split('\n')) assert.match(line, REFUSED);
        }
      }),
    );
  });
});

import { hostname } from 'node:os';
import { join } from 'node:path';
import Type from 'typebox';
import { type Environment, readSettings, type SettingTable, type SettingValues } from '#service_common/config.ts';
import { readDatabaseAddress } from '#service_common/postgres/database_address.ts';

const port = (initial: number) => ({
  schema: Type.Integer({ minimum: 0, maximum: 65_535, default: initial }),
  allowed: 'a port number, 0 to 65535 (0: any free port)',
});

const integer = (minimum: number, maximum: number, initial: number) => ({
  schema: Type.Integer({ minimum, maximum, default: initial }),
  allowed: `a whole number from ${minimum} to ${maximum}`,
});

/** The name of a topic or a group, by the rules of Kafka. */
const kafkaName = (initial: string) => ({
  schema: Type.String({ pattern: '^(?!\\.{1,2}$)[a-zA-Z0-9._-]{1,200}$', default: initial }),
  allowed: 'a name of 1 to 200 letters, digits, dots, dashes and underscores, and neither `.` nor `..`',
});

const oneOf = (values: string[], initial: string) => ({
  schema: Type.String({ enum: values, default: initial }),
  allowed: `one of ${values.join(', ')}`,
});

/** A pattern for what a browser calls an origin. */
const ORIGIN = 'https?://([a-zA-Z0-9.-]{1,253}|\\[[0-9a-fA-F:.]{2,45}\\])(:[0-9]{1,5})?';

/** Every setting of both services, described once: read from the environment, printed into `docs/settings.md`. */
export const SETTINGS = {
  cartPort: {
    name: 'CART_PORT',
    ...port(8000),
    description: 'Port of the Cart Service.',
    secret: false,
  },
  orderPort: {
    name: 'ORDER_PORT',
    ...port(8001),
    description: 'Port of the Order Service.',
    secret: false,
  },
  host: {
    name: 'HOST',
    schema: Type.String({ minLength: 1, maxLength: 255, default: 'localhost' }),
    allowed: 'a host name or an address of this machine',
    description: 'Address to listen on. `localhost` is IPv4 and IPv6 of this machine only; `0.0.0.0` is every network.',
    secret: false,
  },
  dataDir: {
    name: 'DATA_DIR',
    schema: Type.String({ minLength: 1, default: './data' }),
    allowed: 'a folder this user may write to',
    description:
      'Folder of the SQLite files. Its folder `embedded` holds the embedded broker and its stores. Its folder `kafka` holds the stores of services on Kafka. A store belongs to one log.',
    secret: false,
  },
  databaseUrl: {
    name: 'DATABASE_URL',
    schema: Type.String({ maxLength: 2_000, default: '' }),
    allowed: 'an address like postgres://user:password@host:5432/database',
    description:
      'PostgreSQL 15 or newer for the stores of both services. Empty: SQLite files in `DATA_DIR`. It may end with `?sslmode=` (`disable`, `require`, `verify-ca`, `verify-full`) and `&sslrootcert=`, `&sslcert=`, `&sslkey=`, each a file.',
    secret: true,
  },
  databasePassword: {
    name: 'DATABASE_PASSWORD',
    schema: Type.String({ maxLength: 1_000, default: '' }),
    allowed: 'a password of at most 1,000 characters',
    description: 'The password of the database, if it is not in `DATABASE_URL`.',
    secret: true,
  },
  kafkaBootstrapServers: {
    name: 'KAFKA_BOOTSTRAP_SERVERS',
    schema: Type.String({ pattern: '^$|^[^\\s,:]+:[0-9]{1,5}(,[^\\s,:]+:[0-9]{1,5})*$', default: '' }),
    allowed: 'host:port, several separated by commas without spaces',
    description: 'Brokers of Apache Kafka to start from. Empty: the embedded broker, a file in `DATA_DIR`.',
    secret: false,
  },
  ordersTopic: {
    name: 'ORDERS_TOPIC',
    ...kafkaName('orders.events'),
    description: 'Topic of the order events.',
    secret: false,
  },
  topicPartitions: {
    name: 'TOPIC_PARTITIONS',
    ...integer(1, 1_000, 6),
    description: 'Partitions of the topic, if a service has to create it.',
    secret: false,
  },
  consumerGroup: {
    name: 'CONSUMER_GROUP',
    ...kafkaName('order-service'),
    description: 'Consumer group of the Order Service.',
    secret: false,
  },
  consumerMemberId: {
    name: 'CONSUMER_MEMBER_ID',
    schema: Type.String({ pattern: '^[a-zA-Z0-9._-]{0,200}$', default: '' }),
    allowed: 'a name of at most 200 letters, digits, dots, dashes and underscores',
    description:
      'Name of this Order Service in its group (Kafka: `group.instance.id`): the same after a restart, unique in the group. Empty: the host name and `ORDER_PORT`.',
    secret: false,
  },
  requestDeadlineMs: {
    name: 'REQUEST_DEADLINE_MS',
    ...integer(100, 60_000, 5_000),
    description: 'The Cart Service answers every request within this many milliseconds, whatever the broker does.',
    secret: false,
  },
  queueLimit: {
    name: 'QUEUE_LIMIT',
    ...integer(1, 1_000_000, 2_000),
    description:
      'Requests that may wait in the Cart Service. One more is answered `ProducerQueueFull` at once. The service takes up to 4,000 connections.',
    secret: false,
  },
  consoleCartUrl: {
    name: 'CONSOLE_CART_URL',
    schema: Type.String({ pattern: `^$|^${ORIGIN}$`, default: '' }),
    allowed: 'http:// or https://, a host, a port if it needs one, and nothing after that',
    description:
      'Address of the Cart Service for the browser that shows the console. Empty: `http://localhost` and `CART_PORT`.',
    secret: false,
  },
  consoleOrigins: {
    name: 'CONSOLE_ORIGINS',
    schema: Type.String({ pattern: `^$|^${ORIGIN}(,${ORIGIN})*$`, default: '' }),
    allowed: 'addresses as a browser shows them, up to the port, several separated by commas without spaces',
    description:
      'Addresses that serve the console: pages from there may call the Cart Service. Empty: `http://localhost` and `http://127.0.0.1`, both with `ORDER_PORT`.',
    secret: false,
  },
  logLevel: {
    name: 'LOG_LEVEL',
    ...oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'info'),
    description: 'Lowest level that is logged. `debug` has a line for each order.',
    secret: false,
  },
  logFormat: {
    name: 'LOG_FORMAT',
    ...oneOf(['auto', 'json', 'pretty'], 'auto'),
    description: '`json` is a line of JSON for each event, `pretty` is for people; `auto` is `pretty` on a terminal.',
    secret: false,
  },
} as const satisfies SettingTable;

type Values = SettingValues<typeof SETTINGS>;

/** The fields of the config that are not the plain value of their setting. */
const derivedFrom = (values: Values) => ({
  dataDir: dataDirOfBroker(values),
  /** Null: the stores are SQLite files in `dataDir`. */
  database: values.databaseUrl === '' ? null : readDatabaseAddress(values.databaseUrl, values.databasePassword),
  kafkaBootstrapServers: listOf(values.kafkaBootstrapServers),
  consumerMemberId: values.consumerMemberId || `${hostname().replace(/[^a-zA-Z0-9._-]/g, '-')}-${values.orderPort}`,
  consoleCartUrl: values.consoleCartUrl || `http://localhost:${values.cartPort}`,
  consoleOrigins: listOf(
    values.consoleOrigins || `http://localhost:${values.orderPort},http://127.0.0.1:${values.orderPort}`,
  ),
});

/** Each broker has a folder of its own, because a store belongs to one log. */
const dataDirOfBroker = ({ dataDir, kafkaBootstrapServers }: Values): string =>
  join(dataDir, kafkaBootstrapServers === '' ? 'embedded' : 'kafka');

const listOf = (text: string): readonly string[] => (text === '' ? [] : text.split(','));

/** Reads the settings of both services. @throws ConfigError */
export const readConfig = (environment: Environment) => {
  const { values, inForce } = readSettings(SETTINGS, environment);
  const { databaseUrl: _url, databasePassword: _password, ...plain } = values;
  return {
    ...plain,
    ...derivedFrom(values),
    /** All settings, to show to operators; without the values of secrets. */
    settings: inForce,
  };
};

/**
 * What the services run with. `dataDir` is the folder of the broker in use. `kafkaBootstrapServers` is empty for the
 * embedded broker.
 */
export type Config = ReturnType<typeof readConfig>;

/** For people: where the events go. */
export const describeBroker = ({
  kafkaBootstrapServers,
  dataDir,
}: Pick<Config, 'kafkaBootstrapServers' | 'dataDir'>): string =>
  kafkaBootstrapServers.length > 0
    ? `Apache Kafka at ${kafkaBootstrapServers.join(', ')}`
    : `the embedded broker in ${dataDir}`;

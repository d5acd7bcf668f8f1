import { hostname } from 'node:os';
import { join } from 'node:path';
import { envSchema } from 'env-schema';
import Type, { type TSchema } from 'typebox';

/**
 * Every setting of both services, described once: read from the environment at start, printed into `docs/settings.md`.
 */
interface Setting {
  readonly schema: TSchema;
  /** Completes the sentence "X must be ...". */
  readonly allowed: string;
  readonly description: string;
}

const port = (service: string, number: number): Setting => ({
  schema: Type.Integer({ minimum: 0, maximum: 65_535, default: number }),
  allowed: 'a port number, 0 to 65535 (0: any free port)',
  description: `Port of the ${service}.`,
});

const integer = (minimum: number, maximum: number, initial: number, description: string): Setting => ({
  schema: Type.Integer({ minimum, maximum, default: initial }),
  allowed: `a whole number from ${minimum} to ${maximum}`,
  description,
});

const name = (initial: string, description: string): Setting => ({
  schema: Type.String({ pattern: '^(?!\\.{1,2}$)[a-zA-Z0-9._-]{1,200}$', default: initial }),
  allowed: 'a name of 1 to 200 letters, digits, dots, dashes and underscores, and neither `.` nor `..`',
  description,
});

const LOG_FORMATS = ['auto', 'json', 'pretty'];
/** A pattern: what a browser calls an origin. */
const ORIGIN = 'https?://([a-zA-Z0-9.-]{1,253}|\\[[0-9a-fA-F:.]{2,45}\\])(:[0-9]{1,5})?';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

export const SETTINGS = {
  CART_PORT: port('Cart Service', 8000),
  ORDER_PORT: port('Order Service', 8001),
  HOST: {
    schema: Type.String({ minLength: 1, maxLength: 255, default: 'localhost' }),
    allowed: 'a host name or an address of this machine',
    description: 'Address to listen on. `localhost` is IPv4 and IPv6 of this machine only; `0.0.0.0` is every network.',
  },
  DATA_DIR: {
    schema: Type.String({ minLength: 1, default: './data' }),
    allowed: 'a folder this user may write to',
    description:
      'Folder of the SQLite files: `embedded` in it with the embedded broker and its stores, `kafka` with the stores of the services on Kafka. A store belongs to one log.',
  },
  KAFKA_BOOTSTRAP_SERVERS: {
    schema: Type.String({ pattern: '^$|^[^\\s,:]+:[0-9]{1,5}(,[^\\s,:]+:[0-9]{1,5})*$', default: '' }),
    allowed: 'host:port, several separated by commas without spaces',
    description: 'Brokers of Apache Kafka to start from. Empty: the embedded broker, a file in `DATA_DIR`.',
  },
  ORDERS_TOPIC: name('orders.events', 'Topic of the order events.'),
  TOPIC_PARTITIONS: integer(1, 1_000, 6, 'Partitions of the topic where a service has to create it.'),
  CONSUMER_GROUP: name('order-service', 'Consumer group of the Order Service.'),
  CONSUMER_MEMBER_ID: {
    schema: Type.String({ pattern: '^[a-zA-Z0-9._-]{0,200}$', default: '' }),
    allowed: 'a name of at most 200 letters, digits, dots, dashes and underscores',
    description:
      'Name of this Order Service in its group (Kafka: `group.instance.id`): the same over restarts, unique in the group. Empty: made of the host name and `ORDER_PORT`.',
  },
  REQUEST_DEADLINE_MS: integer(
    100,
    60_000,
    5_000,
    'Every request to the Cart Service is answered within this many milliseconds, whatever the broker does.',
  ),
  QUEUE_LIMIT: integer(
    1,
    1_000_000,
    2_000,
    'Requests that may wait in the Cart Service; one more is answered `ProducerQueueFull` at once. It takes up to 4,000 connections.',
  ),
  CONSOLE_CART_URL: {
    schema: Type.String({ pattern: `^$|^${ORIGIN}$`, default: '' }),
    allowed: 'http:// or https://, a host and, where it needs one, a port, and nothing after that',
    description:
      'Where the browser that shows the console reaches the Cart Service. Empty: `http://localhost` and `CART_PORT`.',
  },
  CONSOLE_ORIGINS: {
    schema: Type.String({ pattern: `^$|^${ORIGIN}(,${ORIGIN})*$`, default: '' }),
    allowed: 'addresses as a browser shows them, up to the port, several separated by commas without spaces',
    description:
      'Where the console is served from: pages from there may call the Cart Service. Empty: `http://localhost` and `http://127.0.0.1`, both with `ORDER_PORT`.',
  },
  LOG_LEVEL: {
    schema: Type.String({ enum: LOG_LEVELS, default: 'info' }),
    allowed: `one of ${LOG_LEVELS.join(', ')}`,
    description: 'Least level that is logged. `debug` has a line for each order.',
  },
  LOG_FORMAT: {
    schema: Type.String({ enum: LOG_FORMATS, default: 'auto' }),
    allowed: `one of ${LOG_FORMATS.join(', ')}`,
    description: '`json` is a line of JSON for each event, `pretty` is for people; `auto` is `pretty` on a terminal.',
  },
} as const satisfies Record<string, Setting>;

/** A setting as a running service has it. */
export interface SettingInForce {
  readonly name: string;
  readonly value: string;
  /** Not set in the environment. */
  readonly isDefault: boolean;
}

export interface Config {
  /** All of them, to show to operators; none is a secret. */
  readonly settings: readonly SettingInForce[];
  readonly cartPort: number;
  readonly orderPort: number;
  readonly host: string;
  /** Of the broker in use: a store belongs to one log. */
  readonly dataDir: string;
  /** Empty: the embedded broker. */
  readonly kafkaBootstrapServers: readonly string[];
  readonly ordersTopic: string;
  readonly topicPartitions: number;
  readonly consumerGroup: string;
  readonly consumerMemberId: string;
  readonly requestDeadlineMs: number;
  readonly queueLimit: number;
  readonly consoleCartUrl: string;
  readonly consoleOrigins: readonly string[];
  readonly logLevel: string;
  /** `auto`, `json` or `pretty`. */
  readonly logFormat: string;
}

/** What a person is told about where the events go. */
export const describeBroker = ({ kafkaBootstrapServers, dataDir }: Config): string =>
  kafkaBootstrapServers.length > 0
    ? `Apache Kafka at ${kafkaBootstrapServers.join(', ')}`
    : `the embedded broker in ${dataDir}`;

/** A wrong setting; each line of the message names the variable, its value and what is allowed. */
export class ConfigError extends Error {}

/**
 * Reads the settings. A variable that is set but empty counts as not set, as Compose files pass it on. Blanks around
 * a value go, as `set X=1 && npm start` leaves one on Windows.
 * @throws ConfigError
 */
export const readConfig = (environment: Readonly<Record<string, string | undefined>>): Config => {
  const given = Object.fromEntries(
    Object.keys(SETTINGS)
      .map((key) => [key, environment[key]?.trim() ?? ''] as const)
      .filter(([, value]) => value !== ''),
  );
  const values = parse(given);
  return {
    settings: Object.entries(values).map(([key, value]) => ({
      name: key,
      value: String(value),
      isDefault: given[key] === undefined,
    })),
    cartPort: values.CART_PORT,
    orderPort: values.ORDER_PORT,
    host: values.HOST,
    dataDir: join(values.DATA_DIR, values.KAFKA_BOOTSTRAP_SERVERS === '' ? 'embedded' : 'kafka'),
    kafkaBootstrapServers: values.KAFKA_BOOTSTRAP_SERVERS === '' ? [] : values.KAFKA_BOOTSTRAP_SERVERS.split(','),
    ordersTopic: values.ORDERS_TOPIC,
    topicPartitions: values.TOPIC_PARTITIONS,
    consumerGroup: values.CONSUMER_GROUP,
    consumerMemberId:
      values.CONSUMER_MEMBER_ID || `${hostname().replace(/[^a-zA-Z0-9._-]/g, '-')}-${values.ORDER_PORT}`,
    requestDeadlineMs: values.REQUEST_DEADLINE_MS,
    queueLimit: values.QUEUE_LIMIT,
    consoleCartUrl: values.CONSOLE_CART_URL || `http://localhost:${values.CART_PORT}`,
    consoleOrigins: (
      values.CONSOLE_ORIGINS || `http://localhost:${values.ORDER_PORT},http://127.0.0.1:${values.ORDER_PORT}`
    ).split(','),
    logLevel: values.LOG_LEVEL,
    logFormat: values.LOG_FORMAT,
  };
};

interface Values {
  CART_PORT: number;
  ORDER_PORT: number;
  HOST: string;
  DATA_DIR: string;
  KAFKA_BOOTSTRAP_SERVERS: string;
  ORDERS_TOPIC: string;
  TOPIC_PARTITIONS: number;
  CONSUMER_GROUP: string;
  CONSUMER_MEMBER_ID: string;
  REQUEST_DEADLINE_MS: number;
  QUEUE_LIMIT: number;
  CONSOLE_CART_URL: string;
  CONSOLE_ORIGINS: string;
  LOG_LEVEL: string;
  LOG_FORMAT: string;
}

const parse = (given: Record<string, string>): Values => {
  const schema = Type.Object(
    Object.fromEntries(Object.entries(SETTINGS).map(([key, setting]) => [key, setting.schema])),
  );
  try {
    return envSchema<Values>({ schema, data: given, env: false });
  } catch (error) {
    const wrong = new Set(
      (error as { errors?: { instancePath: string }[] }).errors?.map((e) => e.instancePath.slice(1)),
    );
    if (wrong.size === 0) throw error;
    const lines = [...wrong].map(
      (key) => `${key} is ${JSON.stringify(given[key])}, but must be ${SETTINGS[key as keyof typeof SETTINGS].allowed}`,
    );
    throw new ConfigError(lines.join('\n'));
  }
};

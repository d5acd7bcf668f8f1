import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { installPython } from '#tests/support/python.ts';
import { withinMs } from '#service_common/within.ts';

/**
 * A Kafka client of another make: librdkafka, in a Python process. It writes what the product's own client would not,
 * and it judges by its own reading which records are committed.
 */
export interface ForeignClient {
  /** @returns partition and offset of each message @throws Error if one was not acknowledged */
  write(messages: readonly ForeignMessage[], compression?: 'gzip' | 'snappy' | 'lz4' | 'zstd'): Promise<Place[]>;
  begin(): Promise<ForeignTransaction>;
  /** The places of all committed records. */
  committed(): Promise<Place[]>;
  close(): void;
}

interface ForeignTransaction {
  /** Resolves once the records are in the log. They are not committed. */
  send(messages: readonly ForeignMessage[]): Promise<Place[]>;
  end(how: 'commit' | 'abort'): Promise<void>;
}

type Place = readonly [partition: number, offset: number];

export interface ForeignMessage {
  readonly key?: string;
  readonly value?: string | Buffer;
  /** Instead of a value: this many zero bytes. */
  readonly zeros?: number;
  readonly headers?: readonly (readonly [name: string, value: Buffer | null])[];
  /** Ms since 1970. */
  readonly timestamp?: number;
  /** Left out: by the key, as librdkafka does. */
  readonly partition?: number;
}

interface Answer {
  readonly written?: Place[];
  readonly records?: Place[];
  readonly error?: string;
}

const COMMAND_MS = 120_000;

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Blocks the process for some ten seconds the first time, so a row calls it before its load starts. */
export const installForeignClient = (): string => installPython(path('requirements.txt'), 'a second Kafka client');

const openForeignClient = (bootstrapServers: string, topic: string): ForeignClient => {
  const child = spawn(installForeignClient(), [path('client.py'), bootstrapServers], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting: ((answer: Answer) => void)[] = [];
  createInterface(child.stdout).on('line', (line) => waiting.shift()?.(JSON.parse(line) as Answer));
  child.once('exit', (code) => {
    for (const answer of waiting.splice(0)) answer({ error: `the foreign client ended with ${code}` });
  });
  let transactions = 0;

  const ask = async (command: object): Promise<Answer> => {
    const answered = new Promise<Answer>((resolve) => waiting.push(resolve));
    child.stdin.write(`${JSON.stringify({ topic, ...command })}\n`);
    const answer = await withinMs(COMMAND_MS, answered);
    assert.equal(answer.error, undefined);
    return answer;
  };
  const written = async (command: object): Promise<Place[]> => (await ask(command)).written ?? [];

  return {
    write: (messages, compression) => written({ op: 'write', messages: messages.map(packed), compression }),
    async begin() {
      const id = `foreign-${process.pid}-${++transactions}`;
      await ask({ op: 'begin', id });
      return {
        send: (messages) => written({ op: 'send', id, messages: messages.map(packed) }),
        async end(how) {
          await ask({ op: 'end', id, how });
        },
      };
    },
    async committed() {
      return (await ask({ op: 'committed' })).records ?? [];
    },
    close: () => void child.kill(),
  };
};

/** Opens the client on the topic of a stage for `work`, and ends it afterwards. */
export const withForeignClient = async (
  { kafka, topic }: { readonly kafka: readonly { readonly bootstrapServers: string }[]; readonly topic: string },
  work: (client: ForeignClient) => Promise<void>,
): Promise<void> => {
  const client = openForeignClient(kafka.map(({ bootstrapServers }) => bootstrapServers).join(','), topic);
  try {
    await work(client);
  } finally {
    client.close();
  }
};

const packed = ({ key, value, headers, ...rest }: ForeignMessage) => ({
  ...rest,
  ...(key !== undefined && { key: Buffer.from(key).toString('base64') }),
  ...(value !== undefined && { value: Buffer.from(value).toString('base64') }),
  ...(headers && { headers: headers.map(([name, bytes]) => [name, bytes?.toString('base64') ?? null]) }),
});

import { atLeast, atMost, type Figure, inTempDir, type Suite } from '../bench.ts';
import { type Contender, type Contest, contest } from '../contest.ts';
import { spreadOf } from '../statistics.ts';
import { startPeer, startPythonPeer, startService, type Subject } from '../subjects.ts';
import { makeTopic } from '../events.ts';
import { freshSettings, untilReady } from '../setting.ts';

/** Creates and updates of the Cart Service on either broker, compared with bare Fastify and with two common designs. */
export const create: Suite = (bench) =>
  inTempDir(async (directory) => {
    const { bootstrapServers } = bench.kafka;
    const kafkaEnv = { KAFKA_BOOTSTRAP_SERVERS: bootstrapServers };
    const subjects: Subject[] = [];
    const started = async (subject: Promise<Subject>): Promise<Subject> => {
      subjects.push(await subject);
      return subject;
    };
    try {
      const cart = await started(startService('cart_service', freshSettings(directory, bootstrapServers)));
      const embedded = await started(startService('cart_service', freshSettings(directory, '')));
      await Promise.all([untilReady(cart), untilReady(embedded)]);
      const bare = await started(startPeer('bare_fastify.ts'));
      const topic = await makeTopic(bootstrapServers);
      const express = await started(startPeer('express_kafkajs.js', { ...kafkaEnv, ORDERS_TOPIC: topic }));
      const fastapi =
        bench.python === null
          ? null
          : await started(startPythonPeer(bench.python, 'fastapi_flush.py', { ...kafkaEnv, ORDERS_TOPIC: topic }));

      const result = await contest(bench, [
        creates('create, 50', cart, 50, true),
        creates('bare Fastify, 50', bare, 50, false),
        { ...creates('update, 50', cart, 50, true), kind: 'update' },
        creates('create, embedded broker, 50', embedded, 50, false),
        creates('Express + kafkajs, 50', express, 50, true),
        ...(fastapi === null ? [] : [creates('FastAPI + flush, 50', fastapi, 50, true)]),
        creates('create, 200', cart, 200, true),
        creates('bare Fastify, 200', bare, 200, false),
        creates('create, 1', cart, 1, true),
      ]);
      return { figures: figuresOf(result, fastapi !== null), tables: [result.table('Creates and updates')] };
    } finally {
      await Promise.all(subjects.map((subject) => subject.kill()));
    }
  });

const figuresOf = (result: Contest, hasFastApi: boolean): Figure[] => [
  atLeast(
    'create-order / bare Fastify, 50 connections',
    0.5,
    result.ratio('perSecond', 'create, 50', 'bare Fastify, 50'),
  ),
  atLeast(
    'create-order / bare Fastify, 200 connections',
    0.75,
    result.ratio('perSecond', 'create, 200', 'bare Fastify, 200'),
  ),
  atMost(
    'create-order CPU a request / bare, 200 connections',
    1.4,
    result.ratio('cpuUs', 'create, 200', 'bare Fastify, 200'),
  ),
  atLeast(
    'create-order / Express + kafkajs, 50 connections',
    6,
    result.ratio('perSecond', 'create, 50', 'Express + kafkajs, 50'),
  ),
  ...(hasFastApi
    ? [
        atLeast(
          'create-order / FastAPI + flush, 50 connections',
          15,
          result.ratio('perSecond', 'create, 50', 'FastAPI + flush, 50'),
        ),
      ]
    : []),
  atMost('create-order, p50 at 1 connection', 2, spreadOf(result.measuredOf('create, 1').p50), 'ms'),
  atMost('create-order, p99 at 50 connections', 15, spreadOf(result.measuredOf('create, 50').p99), 'ms'),
  atLeast('update-order / create-order, 50 connections', 1, result.ratio('perSecond', 'update, 50', 'create, 50')),
  atLeast(
    'create-order, embedded broker / Kafka, 50 connections',
    1,
    result.ratio('perSecond', 'create, embedded broker, 50', 'create, 50'),
  ),
];

const creates = (name: string, subject: Subject, connections: number, onKafka: boolean): Contender => ({
  name,
  subject,
  kind: 'create',
  connections,
  onKafka,
});

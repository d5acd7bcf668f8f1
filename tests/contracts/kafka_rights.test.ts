import assert from 'node:assert/strict';
import { AclOperations, AclPermissionTypes, Admin, ResourcePatternTypes, ResourceTypes } from '@platformatic/kafka';
import { test } from 'node:test';
import { startKafka } from '#tests/kafka/apache_kafka.ts';
import { ownKafkaForTests } from '#tests/kafka/kafka_for_tests.ts';
import { eventually } from '#tests/support/eventually.ts';
import { createScene, isBrokerError, message, untilAssigned, untilFailed } from './broker_scene.ts';
import { kafkaAt } from './kafka_under_test.ts';

/** What is not restricted is allowed. A resource with one rule allows only what its rules allow. */
const AUTHORIZER = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'allow.everyone.if.no.acl.found': 'true',
};

test(
  'missing rights are named, and noticed by a probe before anything is written',
  await ownKafkaForTests(),
  async (t) => {
    const kafka = await startKafka({ properties: AUTHORIZER });
    t.after(() => kafka.stop());
    const scene = createScene(t, kafkaAt(kafka.bootstrapServers));
    const admin = new Admin({ clientId: 'administrator', bootstrapBrokers: [kafka.bootstrapServers] });
    scene.after(() => admin.close());
    const broker = scene.open();
    const topic = await scene.topic(broker);
    const leader = broker.leaderOf(topic.name, 0);

    const allow = (resourceType: number, resourceName: string, operation: number): Promise<void> =>
      admin.createAcls({
        creations: [
          {
            resourceType: resourceType as typeof ResourceTypes.TOPIC,
            resourceName,
            resourcePatternType: ResourcePatternTypes.LITERAL,
            principal: 'User:ANONYMOUS',
            host: '*',
            operation: operation as typeof AclOperations.READ,
            permissionType: AclPermissionTypes.ALLOW,
          },
        ],
      });

    await broker.probe(topic.name, leader, 5_000);
    await allow(ResourceTypes.TOPIC, topic.name, AclOperations.DESCRIBE);
    await eventually(() => assert.rejects(broker.probe(topic.name, leader, 5_000), isBrokerError('DENIED')));
    const [fate] = await broker.publish(topic, [message('key')], 5_000);
    assert.ok(fate?.kind === 'not_written');
    assert.match(fate.detail, /right on the topic is missing/);
    const reader = scene.member(scene.open(), topic);
    await untilFailed(reader, 'DENIED', 15_000);
    assert.match(String(reader.failure()), /right on the topic is missing/);

    await allow(ResourceTypes.TOPIC, topic.name, AclOperations.WRITE);
    await eventually(() => broker.probe(topic.name, leader, 5_000));
    await allow(ResourceTypes.TOPIC, topic.name, AclOperations.READ);
    await allow(ResourceTypes.GROUP, scene.group, AclOperations.DESCRIBE);
    const outsider = scene.member(scene.open(), topic);
    await untilFailed(outsider, 'DENIED', 15_000);
    assert.match(String(outsider.failure()), /right on the consumer group is missing/);
    await allow(ResourceTypes.GROUP, scene.group, AclOperations.READ);
    await eventually(() => untilAssigned(scene.member(scene.open(), topic), [0], 15_000), 20_000);
  },
);

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { brokerContract } from '#tests/contracts/broker_contract.ts';
import { keyOf } from '#tests/contracts/broker_scene.ts';
import type { BrokerAddress, BrokerFeatures, InMemoryClient } from '#tests/contracts/broker_under_test.ts';
import { type Cluster, createCluster } from './cluster.ts';
import { killNode, type Node, startNode, stopNode } from './nodes.ts';
import { connectTo } from './simulated_broker.ts';
import { FAIR } from './weather.ts';

const SESSION_MS = 2_000;
const HEARTBEAT_MS = 200;

const newCluster = (): Cluster =>
  createCluster({ nodes: 3, weather: FAIR, clock: Date.now, newTopicId: randomUUID, sessionMs: SESSION_MS });

/** A client in real time. Its wires deliver in the next turn of the event loop. */
const connect = (cluster: Cluster): InMemoryClient => {
  let isAlive = true;
  const carry = (arrive: () => void): void => {
    if (isAlive) setImmediate(() => isAlive && arrive());
  };
  const wire = { toBroker: carry, toClient: carry };
  return { broker: connectTo(cluster, wire, HEARTBEAT_MS), kill: () => (isAlive = false) };
};

const addressOf = (cluster: Cluster): BrokerAddress => ({ kind: 'in_memory', connect: () => connect(cluster) });

const absent = newCluster();
absent.nodes.forEach(killNode);

/** The cluster of each address. */
const clusters = new Map<BrokerAddress, Cluster>();

const clusterAt = (address: BrokerAddress): Cluster => {
  const cluster = clusters.get(address);
  assert(cluster);
  return cluster;
};

const start = () => {
  const cluster = newCluster();
  const address = addressOf(cluster);
  clusters.set(address, cluster);
  return { cluster, address };
};

const transactionalProducer: Required<BrokerFeatures>['transactionalProducer'] = async (address, { name }) => {
  const cluster = clusterAt(address);
  return {
    begin: async () => {
      const transaction = cluster.beginTransaction();
      return {
        send: async (messages) => {
          for (const message of messages) cluster.write(name, { ...message, headers: {} }, { transaction });
        },
        commit: async () => cluster.endTransaction(name, transaction, 'committed'),
        abort: async () => cluster.endTransaction(name, transaction, 'aborted'),
      };
    },
    close: async () => {},
  };
};

const addGap: BrokerFeatures['addGap'] = async (address, topic, partition) => {
  const transaction = await (await transactionalProducer(address, topic)).begin();
  await transaction.send([{ key: keyOf(partition, topic.partitions), value: '' }]);
  await transaction.commit();
};

brokerContract('the simulated broker', async () => ({ address: start().address, stop: async () => {} }), {
  takeoverMs: 10_000,
  deleteTopic: async (address, name) => clusterAt(address).deleteTopic(name),
  addPartitions: async (address, { name }, partitions) => clusterAt(address).addPartitions(name, partitions),
  addGap,
  transactionalProducer,
  outages: {
    options: {},
    nowhere: addressOf(absent),
    start: async () => {
      const { cluster, address } = start();
      const all = (action: (node: Node) => void) => async () => cluster.nodes.forEach(action);
      return {
        address,
        stop: async () => {},
        kill: all(killNode),
        restart: all(startNode),
        pause: all(stopNode),
        resume: all(startNode),
      };
    },
  },
});

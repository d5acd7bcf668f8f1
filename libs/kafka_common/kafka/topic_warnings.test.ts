import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TopicSafety, warningsOf } from './topic_warnings.ts';

const SAFE = {
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'retention.bytes': '-1',
  'min.insync.replicas': '2',
  'unclean.leader.election.enable': 'false',
};

const CASES: readonly (readonly [string, Partial<typeof SAFE>, Partial<TopicSafety>, readonly RegExp[]])[] = [
  ['made as the services make it', {}, {}, []],
  ['with compaction', { 'cleanup.policy': 'compact', 'retention.ms': '1' }, {}, [/cleanup\.policy=compact: /]],
  [
    'with compaction and a week of retention',
    { 'cleanup.policy': 'compact,delete', 'retention.ms': '604800000' },
    {},
    [/cleanup\.policy=compact,delete/, /retention\.ms=604800000: .*set retention\.ms=-1/],
  ],
  ['with a limit of bytes', { 'retention.bytes': '1000' }, {}, [/retention\.bytes=1000/]],
  ['with one replica on three brokers', {}, { replicas: 1 }, [/1 replica on 3 brokers.*give it 3 replicas/]],
  ['on a single broker', { 'min.insync.replicas': '1' }, { replicas: 1, brokers: 1 }, []],
  ['acknowledged by one replica', { 'min.insync.replicas': '1' }, {}, [/min\.insync\.replicas=1/]],
  ['with unclean elections', { 'unclean.leader.election.enable': 'true' }, {}, [/unclean\.leader\.election/]],
  ['whose settings may not be read', {}, { settings: new Map() }, []],
];

for (const [what, settings, changes, expected] of CASES) {
  test(`a topic ${what} gives ${expected.length} warnings`, () => {
    const found = warningsOf('t', {
      settings: new Map(Object.entries({ ...SAFE, ...settings })),
      replicas: 3,
      brokers: 3,
      ...changes,
    });
    assert.equal(found.length, expected.length, found.join());
    expected.forEach((pattern, n) => assert.match(found[n] ?? '', pattern));
  });
}

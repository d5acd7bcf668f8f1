import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtocolError } from '@platformatic/kafka';
import type { CurrentAdmin } from './admin.ts';
import { assignedPartitions } from './assigned_partitions.ts';

/** @param members the topics and partitions of each member of group g; an error: what the broker answers */
const assignedTo = (members: readonly (ReadonlyMap<string, readonly number[]> | undefined)[] | Error, group = 'g') => {
  const describeGroups = ({ groups }: { groups: readonly string[] }) => {
    assert.deepEqual(groups, [group]);
    if (members instanceof Error) return Promise.reject(members);
    const described = members.map((topics, n) => {
      const assignments = topics && new Map([...topics].map(([topic, partitions]) => [topic, { topic, partitions }]));
      return [`member ${n}`, { assignments }] as const;
    });
    return Promise.resolve(new Map([['g', { members: new Map(described) }]]));
  };
  const admin = { client: { describeGroups } } as unknown as CurrentAdmin;
  return assignedPartitions(admin, group, 't');
};

test('the partitions of a group are those of all its members, in this topic', async () => {
  const members = [
    new Map([
      ['t', [0, 2]],
      ['other', [5]],
    ]),
    new Map([['t', [1]]]),
    new Map([['other', [6]]]),
    undefined,
  ];
  assert.deepEqual(await assignedTo(members), new Set([0, 2, 1]));
});

test('a group that does not exist owns none', async () => {
  assert.deepEqual(await assignedTo([], 'unknown'), new Set());
  assert.deepEqual(await assignedTo(new ProtocolError('GROUP_ID_NOT_FOUND')), new Set());
});

test('any other error is an error of the broker', async () => {
  await assert.rejects(assignedTo(new ProtocolError('GROUP_AUTHORIZATION_FAILED')), { code: 'DENIED' });
  await assert.rejects(assignedTo(new Error('closed')), { code: 'UNAVAILABLE' });
});

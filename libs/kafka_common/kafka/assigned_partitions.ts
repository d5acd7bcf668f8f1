import type { CurrentAdmin } from './admin.ts';
import { protocolErrorsOf, toBrokerError } from './errors.ts';

/** The partitions of a topic that the members of a group own. The coordinator names none until the group is stable. @throws BrokerError */
export const assignedPartitions = async (admin: CurrentAdmin, group: string, topic: string): Promise<Set<number>> => {
  try {
    const groups = await admin.client.describeGroups({ groups: [group] });
    const members = [...(groups.get(group)?.members.values() ?? [])];
    return new Set(members.flatMap(({ assignments }) => assignments?.get(topic)?.partitions ?? []));
  } catch (error) {
    // Since version 6 of DescribeGroups (KIP-1043). Before, a group that does not exist is one without members.
    if (protocolErrorsOf(error).includes('GROUP_ID_NOT_FOUND')) return new Set();
    throw toBrokerError(error);
  }
};

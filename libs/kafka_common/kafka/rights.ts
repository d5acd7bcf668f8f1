import { AclOperations, metadataV12, ProtocolError } from '@platformatic/kafka';
import type { CurrentAdmin } from './admin.ts';

/** The broker's answer if it has not been asked for rights, or does not know them. */
const NOT_KNOWN = -2_147_483_648;

/** @param operations a bit for each operation of the protocol's list, as in Kafka's Metadata answer (KIP-430) */
const mayWrite = (operations: number): boolean =>
  operations === NOT_KNOWN || (operations & (1 << AclOperations.WRITE)) !== 0;

/**
 * A client without the right to write finds out by its first refusal. This asks before.
 * @param address of a broker, as `host:port`
 * @throws the library's error; ProtocolError `TOPIC_AUTHORIZATION_FAILED` if the right is missing
 */
export const checkWriteRight = async (admin: CurrentAdmin, address: string, topic: string): Promise<void> => {
  const colon = address.lastIndexOf(':');
  const broker = { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
  const connection = await admin.client.connections.get(broker);
  const { topics } = await metadataV12.api.async(connection, [topic], false, true);
  const isDenied = topics.some((found) => found.errorCode === 0 && !mayWrite(found.topicAuthorizedOperations));
  if (isDenied) throw new ProtocolError('TOPIC_AUTHORIZATION_FAILED');
};

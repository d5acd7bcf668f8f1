import { createRedriveProof } from '#order_service/redrive/redrive_proof.ts';

/** The proof of a service in tests. Services with the same key recognize each other's redrives. */
export const REDRIVE_PROOF = createRedriveProof(Buffer.alloc(32, 'a key for tests'));

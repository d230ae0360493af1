import { z } from 'zod'

/** What unary requests look like once protobuf has decoded them; anything else is INVALID. */
const bytes = z.instanceof(Uint8Array)
const uint32 = z.number().int().min(0).max(0xffffffff)
/** Beyond 2^53−1 a number is not exact: the gateway says INVALID. */
const uint64 = z.number().min(0)
const session = z.object({ group: uint32, incarnation: uint32, index: uint64 })
const proof = { session, epoch: uint64, secret: bytes }

export const openRequest = z.object({
  secret: bytes,
  principal: z.string().max(1024),
  roles: z.array(z.string().max(128)).max(32),
  capabilities: bytes,
  clientName: z.string().max(1024),
  timeoutMs: uint64,
  validUntilMs: uint64,
  ordered: z.boolean(),
  nonce: bytes,
})

export const executeRequest = z.object({
  ...proof,
  requestId: uint64,
  lowestPendingRequestId: uint64,
  acknowledgeServerRequests: uint64,
  machine: z.string().max(128),
  command: z.string().max(128),
  input: bytes,
})

export const queryRequest = z.object({
  consistency: z.enum(['CONSISTENCY_LINEARIZABLE', 'CONSISTENCY_SEQUENTIAL', 'CONSISTENCY_STALE']),
  incarnation: uint32,
  minIndex: uint64,
  machine: z.string().max(128),
  query: z.string().max(128),
  input: bytes,
})

export const acknowledgeRequest = z.object({ ...proof, serverRequestId: uint64 })

export const closeRequest = z.object(proof)

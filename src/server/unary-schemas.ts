import { z } from 'zod'
import { NAME_BYTES_MAX, ROLES_MAX, TEXT_BYTES_MAX } from '../protocol/limits.ts'

/** What unary requests look like once protobuf has decoded them; anything else is INVALID. */
const bytes = z.instanceof(Uint8Array)
const uint32 = z.number().int().min(0).max(0xffffffff)
/** Beyond 2^53−1 a number is not exact: the gateway says INVALID. */
const uint64 = z.number().min(0)
/** Characters: at most as many as the bytes that a frame allows. */
const name = z.string().max(NAME_BYTES_MAX)
const text = z.string().max(TEXT_BYTES_MAX)
const session = z.object({ group: uint32, incarnation: uint32, index: uint64 })
const proof = { session, epoch: uint64, secret: bytes }

export const openRequest = z.object({
  secret: bytes,
  principal: text,
  roles: z.array(name).max(ROLES_MAX),
  capabilities: bytes,
  clientName: text,
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
  machine: name,
  command: name,
  input: bytes,
})

export const queryRequest = z.object({
  consistency: z.enum(['CONSISTENCY_LINEARIZABLE', 'CONSISTENCY_SEQUENTIAL', 'CONSISTENCY_STALE']),
  incarnation: uint32,
  minIndex: uint64,
  machine: name,
  query: name,
  input: bytes,
})

export const acknowledgeRequest = z.object({ ...proof, serverRequestId: uint64 })

export const closeRequest = z.object(proof)

import { CLIENT_REQUEST_FIXED_BYTES, clientRequestLength, writeClientRequest } from '../codec/entry/client-request.ts'
import type { ClientRequestPayload } from '../codec/entry/payload.ts'
import type { Reply } from '../session/state-machine.ts'
import type { ProposalSink, RaftNode, SubmitRefusal } from '../node/api.ts'
import type { Attachment } from './attachment.ts'
import type { CommandRequest } from './types.ts'

/** Times that a command is parsed again after VERSION_CHANGED before the client hears of it. */
export const REPARSE_MAX = 3

/** Where payloads are written: `submit` copies them before it returns. */
let scratch = new Uint8Array(64 * 1024)

/**
 * A command on its way through the log. PERF: one object per command and no closure; it is the proposal's sink and what a
 * duplicate joins.
 */
export class PendingRequest implements ProposalSink {
  attachment: Attachment
  readonly request: CommandRequest
  readonly hashHigh: number
  readonly hashLow: number
  /** Version under which it was parsed, and the gateway's count of version changes then. */
  version: number
  generation: number
  parsedTimes = 1

  constructor(
    attachment: Attachment,
    request: CommandRequest,
    hash: { high: number; low: number },
    parsed: { version: number; generation: number },
  ) {
    this.attachment = attachment
    this.request = request
    this.hashHigh = hash.high
    this.hashLow = hash.low
    this.version = parsed.version
    this.generation = parsed.generation
  }

  settled(reply: Reply, index: number): void {
    this.attachment.settled(this, reply, index)
  }

  refused(code: SubmitRefusal): void {
    this.attachment.refused(this, code)
  }

  lost(): void {
    this.attachment.lost(this)
  }
}

/** Proposes a parsed command. */
export function submitRequest(node: RaftNode, pending: PendingRequest, input: Uint8Array): void {
  const { attachment, request } = pending
  const payload: ClientRequestPayload = {
    group: attachment.session.group,
    incarnation: attachment.session.incarnation,
    index: attachment.session.index,
    epoch: attachment.epoch,
    requestId: request.requestId,
    lowestPendingRequestId: request.lowestPendingRequestId,
    ackServerRequests: request.ackServerRequests,
    hashHigh: pending.hashHigh,
    hashLow: pending.hashLow,
    version: pending.version,
    machine: request.machine,
    command: request.command,
    input,
  }
  const length = clientRequestLength(payload)
  if (length > scratch.length)
    scratch = new Uint8Array(Math.max(length, CLIENT_REQUEST_FIXED_BYTES, scratch.length * 2))
  writeClientRequest(scratch, 0, payload)
  node.submit('ClientRequest', scratch.subarray(0, length), pending)
}

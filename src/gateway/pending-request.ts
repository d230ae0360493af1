import { CLIENT_REQUEST_FIXED_BYTES, clientRequestLength, writeClientRequest } from '../codec/entry/client-request.ts'
import type { ClientRequestPayload, SessionNumbers } from '../codec/entry/payload.ts'
import type { ProposalSink, RaftNode, SubmitRefusal } from '../node/api.ts'
import type { RequestMessage } from '../protocol/up-frame.ts'
import type { Reply } from '../session/state-machine.ts'
import type { Refusal } from './refusal.ts'

/** Who holds a command in flight: the attachment it came by, or the one that adopted it. */
export interface RequestOwner {
  readonly session: SessionNumbers
  readonly epoch: number
  /** The entry was applied at `index`. */
  settled(pending: PendingRequest, reply: Reply, index: number): void
  /** Nothing was appended. */
  refused(pending: PendingRequest, code: SubmitRefusal): void
  /** Appended, and this node cannot tell what became of it. */
  lost(pending: PendingRequest): void
  /** It was to be parsed and proposed again, and is not. */
  notProposed(pending: PendingRequest, bad: Refusal): void
  /** Why a command is not proposed although it fits: its predecessor is missing. */
  checkOrder(request: RequestMessage): Refusal | null
  submit(pending: PendingRequest, input: Uint8Array): void
  /** Lets go what waited behind commands that were to be parsed again, as far as nothing is left to wait for. */
  releaseHeld(): void
}

/** Where payloads are written: `submit` copies them before it returns. */
let scratch = new Uint8Array(64 * 1024)

/**
 * A command on its way through the log. PERF: one object per command and no closure; it is the proposal's sink and what a
 * duplicate joins.
 */
export class PendingRequest implements ProposalSink {
  owner: RequestOwner
  readonly request: RequestMessage
  readonly hashHigh: number
  readonly hashLow: number
  /** Version under which it was parsed, and the gateway's count of version changes then. */
  version: number
  generation: number
  /** How often it was parsed for that version. */
  parsedTimes = 1

  constructor(
    owner: RequestOwner,
    request: RequestMessage,
    hash: { high: number; low: number },
    parsed: { version: number; generation: number },
  ) {
    this.owner = owner
    this.request = request
    this.hashHigh = hash.high
    this.hashLow = hash.low
    this.version = parsed.version
    this.generation = parsed.generation
  }

  settled(reply: Reply, index: number): void {
    this.owner.settled(this, reply, index)
  }

  refused(code: SubmitRefusal): void {
    this.owner.refused(this, code)
  }

  lost(): void {
    this.owner.lost(this)
  }

  /** Hands it to the node with its parsed input. */
  submit(node: RaftNode, input: Uint8Array): void {
    const { owner, request } = this
    const payload: ClientRequestPayload = {
      group: owner.session.group,
      incarnation: owner.session.incarnation,
      index: owner.session.index,
      epoch: owner.epoch,
      requestId: request.requestId,
      lowestPendingRequestId: request.lowestPendingRequestId,
      ackServerRequests: request.ackServerRequests,
      hashHigh: this.hashHigh,
      hashLow: this.hashLow,
      version: this.version,
      machine: request.machine,
      command: request.command,
      input,
    }
    const length = clientRequestLength(payload)
    if (length > scratch.length)
      scratch = new Uint8Array(Math.max(length, CLIENT_REQUEST_FIXED_BYTES, scratch.length * 2))
    writeClientRequest(scratch, 0, payload)
    node.submit('ClientRequest', scratch.subarray(0, length), this)
  }
}

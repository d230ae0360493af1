import type { SessionNumbers } from '../codec/entry/payload.ts'
import type { RequestMessage } from '../protocol/up-frame.ts'
import type { Attachment, AttachmentHost } from './attachment.ts'
import { checkCommand, parseCommand } from './checks.ts'
import type { ConnectionSink } from './connection-sink.ts'
import { PendingRequest, type RequestOwner } from './pending-request.ts'
import { refusal } from './refusal.ts'

/**
 * Bytes of commands that ride on one connection, their envelopes counted as `ENVELOPE_BYTES` each: 64 sessions that send all
 * they may (`RIDING_BYTES_MAX`), or 50,000 commands of 64 bytes.
 */
export const RIDING_HELD_BYTES_MAX = 16 * 1024 * 1024
const ENVELOPE_BYTES = 256

/** What rides on one connection, bytes; shared by its attaches under way. */
export interface RidingBudget {
  bytes: number
}

/** One command that came behind the attach, and what it was proposed as. */
interface Rider {
  readonly request: RequestMessage
  /** Null: something about it is for the attachment to say. */
  readonly proposal: { readonly pending: PendingRequest; readonly input: Uint8Array } | null
}

/**
 * Commands that came behind an attach that is under way (wire.md §3, step 3). They are proposed as soon as the attach has an
 * index in the log, under the epoch that this would be, and the log decides: where the attach is refused, or an earlier copy
 * of it gave the epoch, that index is no epoch of the session, and they change nothing (sessions.md §3, step 2).
 *
 * Nothing is answered before the attach is. Then each command is one of the attachment's, as if it had come only now, unless
 * it is under way already.
 */
export class RidingCommands implements RequestOwner {
  readonly session: SessionNumbers
  /** Index of the attach; 0: it is not appended yet. */
  epoch = 0
  private readonly host: AttachmentHost
  private readonly sink: ConnectionSink
  private readonly budget: RidingBudget
  private readonly riders: Rider[] = []
  /** Of those proposed, the ones that were not appended, and the ones whose fate this node cannot tell. */
  private readonly ended = new Map<PendingRequest, 'refused' | 'lost'>()
  private held = 0
  private highest = 0
  /** One of them is left to the attachment, and so is what is behind it. */
  private blocked = false
  private full = false
  /** The attach has been answered: what becomes of a proposal is told to its attachment, or to nobody. */
  private over = false

  constructor(host: AttachmentHost, sink: ConnectionSink, ride: { session: SessionNumbers; budget: RidingBudget }) {
    this.host = host
    this.sink = sink
    this.session = ride.session
    this.budget = ride.budget
  }

  /** A command behind the attach. */
  admit(request: RequestMessage): void {
    const bytes = request.input.length + ENVELOPE_BYTES
    // Once one is refused, so are those behind it: in order, or not at all.
    if (this.full || this.budget.bytes + bytes > RIDING_HELD_BYTES_MAX) {
      this.full = true
      const bad = refusal('OVERLOADED', { max: RIDING_HELD_BYTES_MAX })
      return this.sink.responded(request.channel, request.requestId, { kind: 'notExecuted', ...bad })
    }
    this.budget.bytes += bytes
    this.held += bytes
    const proposal = this.blocked ? null : this.prepare(request)
    const rider = { request, proposal }
    this.riders.push(rider)
    if (proposal === null) this.blocked = true
    if (this.epoch > 0) this.propose(rider)
  }

  /** The attach has this index. Nothing is parsed here, because what is thrown would end the node. */
  appended(index: number): void {
    this.epoch = index
    for (const rider of this.riders) this.propose(rider)
  }

  /** The attach is granted; its answer has been said. */
  attached(attachment: Attachment): void {
    this.end()
    const granted = attachment.epoch === this.epoch
    for (const { request, proposal } of this.riders) {
      const fate = proposal === null ? 'refused' : this.ended.get(proposal.pending)
      if (!granted || fate === 'refused') attachment.admit(request)
      else if (fate === 'lost') this.unknown(request)
      else if (proposal !== null) attachment.take(proposal.pending)
    }
  }

  /** The attach is refused, or (`lost`) nobody here can tell any more what becomes of it, and of what rides behind it. */
  failed(lost: boolean): void {
    this.end()
    for (const { request, proposal } of this.riders) {
      const appended = proposal !== null && this.epoch > 0 && this.ended.get(proposal.pending) !== 'refused'
      if (lost && appended) this.unknown(request)
      else this.sink.responded(request.channel, request.requestId, { kind: 'notExecuted', ...refusal('NOT_ATTACHED') })
    }
  }

  /** Nobody listens any more: what was proposed goes on. */
  end(): void {
    this.over = true
    this.budget.bytes -= this.held
    this.held = 0
  }

  // RequestOwner, until the attach is answered.

  /** The attach comes first in the log, and is settled first: what is heard here is of an epoch that never was in force. */
  settled(): void {}

  refused(pending: PendingRequest): void {
    if (!this.over) this.ended.set(pending, 'refused')
  }

  lost(pending: PendingRequest): void {
    if (!this.over) this.ended.set(pending, 'lost')
  }

  submit(pending: PendingRequest, input: Uint8Array): void {
    pending.submit(this.host.node, input)
  }

  // Only an attachment's commands are parsed again.

  notProposed(): void {}

  checkOrder(): null {
    return null
  }

  releaseHeld(): void {}

  private propose({ proposal }: Rider): void {
    if (proposal !== null) this.submit(proposal.pending, proposal.input)
  }

  /** What it is proposed as; null for a copy of one before, and for what is wrong in itself. */
  private prepare(request: RequestMessage): Rider['proposal'] {
    const { host } = this
    if (request.requestId <= this.highest || checkCommand(request, host.node.machine.limits) !== null) return null
    const parsed = parseCommand(host, request)
    if (!parsed.ok) return null
    this.highest = request.requestId
    const { input, version } = parsed
    const hash = host.hashOf(request)
    const generation = host.generation(request.machine, version)
    return { pending: new PendingRequest(this, request, hash, { version, generation }), input }
  }

  private unknown(request: RequestMessage): void {
    this.sink.responded(request.channel, request.requestId, { kind: 'unknown', code: 'LEADER_LOST' })
  }
}

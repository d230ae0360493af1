import { unreachable } from '../../base/assert.ts'
import type { ResponseAnswer } from '../../protocol/down-message.ts'
import { decodeValue } from '../../codec/value/decode.ts'
import { encodeValue } from '../../codec/value/encode.ts'
import { isRetryable } from '../../protocol/errors.ts'
import { INPUT_BYTES_MAX, RIDING_BYTES_MAX } from '../../protocol/limits.ts'
import type { RequestMessage } from '../../protocol/up-frame.ts'
import type { ClientClock } from '../connection/ports.ts'
import { Deadlines } from './deadlines.ts'
import { LateOutcomes } from './late-outcomes.ts'
import { OrderGaps } from './order-gaps.ts'
import { type CommandCall, type Done, outcomeOf, type PendingCommand, pendingCommand, tell } from './pending-command.ts'
import { NO_DETAILS, numberIn, type RawOutcome } from './raw-outcome.ts'

/** What the window needs of its session. */
export interface RequestWindowOptions {
  readonly clock: ClientClock
  /** The leader is reached, be the session attached there or not. */
  leaderReached(): boolean
  /** True while copies can be sent. */
  canSend(): boolean
  /** Sends one copy of a command. */
  sendMessage(message: RequestMessage): void
  readonly channel: number
  /** The session was opened as an ordered one. */
  readonly ordered: boolean
  /** The ack that rides along; 0: none. */
  takeAck(): number
  /** A command whose first copy was sent then was applied, which renewed the session. */
  confirmed(sentAt: number): void
}

/** Commands that may wait in this process. */
const BACKLOG_MAX = 65_536
/** A command whose copies are refused for good this often, while an earlier copy may still be executed, ends as unknown. */
const REFUSALS_MAX = 8
/** The first wait before copies are sent again; it doubles up to the last, and starts anew after an outcome or attach. */
const RETRY_FIRST_MS = 10
const RETRY_MAX_MS = 500

/**
 * The commands of one session (wire.md §8.4, §8.5; sessions.md §3, §7): gives ids, sends within the window, sends again with
 * the same id and in id order until an outcome or the deadline, and tells the lowest id without a response with every copy
 * (LR-002).
 */
export class RequestWindow {
  /** Highest id above the lowest that may be sent; the greeting says. */
  windowRequests = 1024
  private readonly options: RequestWindowOptions
  /** By request id, in id order: ids are given in order, and renumbering keeps it. */
  private readonly pending = new Map<number, PendingCommand>()
  private readonly lateOutcomes = new LateOutcomes()
  /** Commands whose id is not the one that `enqueue` returned, by that one. */
  private readonly renumbered = new Map<number, PendingCommand>()
  private nextId = 1
  /** Lowest id without an outcome; `nextId` when there is none. */
  private lowest = 1
  /** The session takes commands in id order alone; one that is taken up learns it from its first OUT_OF_ORDER. */
  private ordered: boolean
  private readonly gaps = new OrderGaps()
  /** Lowest id of which no copy was ever sent. */
  private unsentFrom = 1
  private readonly deadlines: Deadlines<PendingCommand>
  private retryTimer: { cancel(): void } | null = null
  private retryMs = RETRY_FIRST_MS

  constructor(options: RequestWindowOptions) {
    this.options = options
    this.ordered = options.ordered
    this.deadlines = new Deadlines(
      options.clock,
      () => this.pending.values(),
      (pending) => {
        if (pending.done !== null) this.giveUp(pending, 'DEADLINE_EXCEEDED')
      },
    )
  }

  /** Commands without an outcome, those of unknown outcome included. */
  get size(): number {
    return this.pending.size
  }

  /** The id that the next command gets. */
  get nextRequestId(): number {
    return this.nextId
  }

  /**
   * A session that is taken up again goes on from an id that was never used, and so do the commands that waited for it:
   * under an id that another command has had, they would be given that one's outcome.
   */
  startFrom(nextRequestId: number): void {
    const shift = nextRequestId - this.unsentFrom
    // Ids that this window has sent are its own: the log cannot know higher ones.
    if (shift <= 0) return
    const unsent = [...this.pending.values()].filter(({ requestId }) => requestId >= this.unsentFrom)
    for (const { requestId } of unsent) this.pending.delete(requestId)
    for (const pending of unsent) {
      pending.requestId += shift
      this.pending.set(pending.requestId, pending)
      this.renumbered.set(pending.givenId, pending)
    }
    this.nextId += shift
    this.unsentFrom = nextRequestId
    this.gaps.clear()
    while (this.lowest < nextRequestId && !this.pending.has(this.lowest)) this.lowest += 1
  }

  /**
   * Gives a command its id, from 1, and sends it when possible. `deadlineAt`: monotonic ms, 0: none. Returns the id, or 0 when
   * the command was refused at once: BACKLOG_FULL, COMMAND_TOO_LARGE.
   */
  enqueue(call: CommandCall, deadlineAt: number, done: Done): number {
    if (this.pending.size >= BACKLOG_MAX) {
      done({ kind: 'notExecuted', code: 'BACKLOG_FULL', details: NO_DETAILS }, 0)
      return 0
    }
    if (call.input.length > INPUT_BYTES_MAX) {
      // No frame can carry it: the server would end the connection, and again after every resend.
      const details = encodeValue({ bytes: call.input.length, max: INPUT_BYTES_MAX })
      done({ kind: 'notExecuted', code: 'COMMAND_TOO_LARGE', details }, 0)
      return 0
    }
    const requestId = this.nextId
    this.nextId += 1
    this.pending.set(requestId, pendingCommand(call, requestId, deadlineAt, done))
    this.deadlines.watch(deadlineAt)
    this.sendUnsent()
    return requestId
  }

  /**
   * Sends what `resendAll` would send, up to `RIDING_BYTES_MAX`, right behind an attach that has no answer yet: it is executed
   * under the epoch of that attach or not at all. Only on a stream where this session was never attached, so that each
   * answer heard there is to a copy that rode.
   */
  ride(): void {
    let bytes = 0
    for (const pending of this.pending.values()) {
      bytes += pending.input.length
      if (pending.requestId >= this.sendableEnd || bytes > RIDING_BYTES_MAX) return
      this.unsentFrom = Math.max(this.unsentFrom, pending.requestId + 1)
      pending.ridingCopies += 1
      pending.rides = true
      this.sendCopy(pending)
    }
  }

  /** The stream is gone, and with it the answers to what rode there. */
  disconnected(): void {
    for (const pending of this.pending.values()) pending.rides = false
  }

  /** The attach is refused, and so is what rode behind it here: before the session ends, without waiting for each answer. */
  rideRefused(): void {
    for (const pending of this.pending.values()) {
      if (!pending.rides) continue
      pending.rides = false
      pending.ridingCopies -= 1
      pending.openCopies -= 1
    }
  }

  /**
   * A new attach epoch is in the log, and copies of older epochs are refused from there on. No id from `nextRequestId` on had
   * been executed by then, so none of their copies can be any more, but those that rode behind that attach, or behind an
   * earlier copy of it, which may be the one that counted.
   */
  fenceOldCopies(nextRequestId: number): void {
    for (const pending of this.pending.values()) {
      if (pending.requestId >= nextRequestId) pending.openCopies = Math.min(pending.openCopies, pending.ridingCopies)
      pending.ridingCopies = 0
    }
  }

  /**
   * Sends everything without an answer again, in id order (P-32), but what rode behind the attach: also what was reported
   * unknown, to learn its outcome.
   */
  resendAll(): void {
    this.retryMs = RETRY_FIRST_MS
    for (const pending of this.pending.values()) {
      if (pending.requestId >= this.unsentFrom) break
      if (!pending.rides) pending.resend = true
      pending.rides = false
    }
    this.sendDue()
    this.sendUnsent()
  }

  /** Takes the answer to one copy: gives the outcome, or sends the command again later. */
  settle(requestId: number, answer: ResponseAnswer): void {
    const pending = this.pending.get(requestId)
    // A late answer to a command that has its outcome (P-30).
    if (pending === undefined) return
    switch (answer.kind) {
      case 'ok':
      case 'rejected':
        this.options.confirmed(pending.sentAt)
        return this.finish(pending, answer)
      case 'refused':
        this.options.confirmed(pending.sentAt)
        return this.refused(pending, answer.code, answer.details)
      case 'notExecuted':
        return this.refused(pending, answer.code, answer.details)
      case 'unknown':
        pending.lastCode = answer.code
        pending.rides = false
        return this.retryLater(pending)
      default:
        return unreachable(answer)
    }
  }

  /** The caller no longer waits; a copy may still be executed. `givenId` is what `enqueue` returned. */
  abort(givenId: number, code: string): void {
    const pending = this.renumbered.get(givenId) ?? this.pending.get(givenId)
    if (pending !== undefined && pending.done !== null) this.giveUp(pending, code)
  }

  /** Waits again for the outcome of a command that was reported unknown; false when there is none of that id. */
  resolve(requestId: number, deadlineAt: number, done: Done): boolean {
    const known = this.lateOutcomes.take(requestId)
    if (known !== undefined) {
      done(known, requestId)
      return true
    }
    const pending = this.pending.get(requestId)
    if (pending === undefined || pending.done !== null) return false
    pending.done = done
    pending.deadlineAt = deadlineAt
    this.deadlines.watch(deadlineAt)
    if (this.options.canSend()) this.sendCopy(pending)
    return true
  }

  /** Hears the outcome of a command without one; false when there is none of that id, or it was told as unknown. */
  follow(requestId: number, done: Done): boolean {
    const pending = this.pending.get(requestId)
    if (pending === undefined || pending.done === null) return false
    pending.followers ??= []
    pending.followers.push(done)
    return true
  }

  /** The code with which a command was reported unknown that has had no outcome since; null for any other. */
  unknownCode(requestId: number): string | null {
    const pending = this.pending.get(requestId)
    return pending === undefined || pending.done !== null ? null : pending.toldCode
  }

  /**
   * Gives a command up, so that `lowestPendingRequestId` may pass it: once a later command, which carries that, was applied,
   * no late copy of it is executed any more. False when there is none of that id.
   */
  abandon(requestId: number): boolean {
    this.lateOutcomes.take(requestId)
    const pending = this.pending.get(requestId)
    if (pending === undefined) return false
    this.release(pending, false)
    tell(pending, outcomeOf(pending, 'ABANDONED'))
    return true
  }

  /** No outcome will come any more: the session is lost or closed (P-34). */
  failAll(code: string): void {
    this.deadlines.stop()
    this.retryTimer?.cancel()
    this.retryTimer = null
    const all = [...this.pending.values()]
    this.pending.clear()
    this.renumbered.clear()
    for (const pending of all) tell(pending, outcomeOf(pending, code))
  }

  private refused(pending: PendingCommand, code: string, details: Uint8Array): void {
    if (pending.openCopies > 0) pending.openCopies -= 1
    if (pending.ridingCopies > 0) pending.ridingCopies -= 1
    pending.rides = false
    pending.lastCode = code
    // Its response is gone: it was executed or abandoned, and no answer can tell which any more (LR-010).
    if (code === 'RESPONSE_EVICTED') return this.finish(pending, { kind: 'unknown', code })
    // The id belongs to another command: no copy of this one can be executed.
    const final = !isRetryable('request', code) && code !== 'NOT_ATTACHED'
    if (code === 'REQUEST_CONFLICT' || (final && pending.openCopies === 0)) {
      return this.finish(pending, { kind: 'notExecuted', code, details: Uint8Array.from(details) })
    }
    if (final) pending.refusals += 1
    // It was narrowed since the greeting.
    if (code === 'WINDOW_EXCEEDED')
      this.windowRequests = numberIn(decodeValue(details), 'window') || this.windowRequests
    if (code === 'OUT_OF_ORDER') this.outOfOrder(pending.requestId, numberIn(decodeValue(details), 'expected') ?? 1)
    if (pending.refusals >= REFUSALS_MAX) return this.finish(pending, { kind: 'unknown', code })
    this.retryLater(pending)
  }

  /** All copies that are due go out together, after a wait that doubles. */
  private retryLater(pending: PendingCommand): void {
    pending.resend = true
    if (this.retryTimer !== null) return
    this.retryTimer = this.options.clock.setTimer(this.retryMs, () => this.retry())
    this.retryMs = Math.min(this.retryMs * 2, RETRY_MAX_MS)
  }

  /** The log waits for `expected`, 1 when that was not said: it goes first, or the floor passes it. */
  private outOfOrder(requestId: number, expected: number): void {
    this.ordered = true
    if (expected >= this.lowest && !this.pending.has(expected)) return this.gaps.add(expected)
    for (const pending of this.pending.values()) {
      if (pending.requestId >= requestId) return
      if (pending.requestId >= expected) pending.resend = true
    }
  }

  private retry(): void {
    this.retryTimer = null
    if (this.options.canSend()) this.sendDue()
  }

  /** Sends again what is due, up to the first gap. */
  private sendDue(): void {
    for (const pending of this.pending.values()) {
      if (pending.requestId >= this.gaps.first) return
      if (pending.resend) this.sendCopy(pending)
    }
  }

  /** An outcome for good; it is kept for `resolve` when the caller was told `unknown` before. */
  private finish(pending: PendingCommand, outcome: RawOutcome): void {
    const { done, requestId } = pending
    this.retryMs = RETRY_FIRST_MS
    this.release(pending, outcome.kind === 'ok' || outcome.kind === 'rejected')
    if (done === null) this.lateOutcomes.keep(requestId, outcome)
    tell(pending, outcome)
  }

  /** Ends the caller's wait without an answer. A command that may still be executed is reported unknown and stays pending. */
  private giveUp(pending: PendingCommand, code: string): void {
    // No copy was sent, or a new epoch has fenced them all without an answer.
    const unreached = pending.openCopies === 0 && pending.lastCode === ''
    const outcome = outcomeOf(pending, unreached && code === 'DEADLINE_EXCEEDED' ? this.whyUnsent() : code)
    if (outcome.kind === 'notExecuted') this.release(pending, false)
    else pending.deadlineAt = 0
    tell(pending, outcome)
  }

  /** What kept a command from being sent until its deadline. */
  private whyUnsent(): string {
    if (!this.options.leaderReached()) return 'NO_LEADER'
    return this.options.canSend() ? 'HELD_BACK' : 'DEADLINE_EXCEEDED'
  }

  private release(pending: PendingCommand, executed: boolean): void {
    if (this.ordered && !executed) this.gaps.add(pending.requestId)
    this.pending.delete(pending.requestId)
    this.renumbered.delete(pending.givenId)
    while (this.lowest < this.nextId && !this.pending.has(this.lowest)) this.lowest += 1
    if (this.unsentFrom < this.lowest) this.unsentFrom = this.lowest
    if (this.gaps.passed(this.lowest) && this.options.canSend()) this.sendDue()
    if (this.unsentFrom < this.nextId) this.sendUnsent()
  }

  /** Ids from here on are beyond the window, or behind a gap. */
  private get sendableEnd(): number {
    return Math.min(this.lowest + this.windowRequests, this.gaps.first)
  }

  private sendUnsent(): void {
    if (!this.options.canSend()) return
    const end = Math.min(this.nextId, this.sendableEnd)
    while (this.unsentFrom < end) {
      const pending = this.pending.get(this.unsentFrom)
      this.unsentFrom += 1
      if (pending !== undefined) this.sendCopy(pending)
    }
  }

  private sendCopy(pending: PendingCommand): void {
    pending.resend = false
    pending.openCopies += 1
    if (pending.sentAt === 0) pending.sentAt = this.options.clock.nowMs()
    this.options.sendMessage({
      kind: 'request',
      channel: this.options.channel,
      requestId: pending.requestId,
      lowestPendingRequestId: this.lowest,
      ackServerRequests: this.options.takeAck(),
      machine: pending.machine,
      command: pending.command,
      input: pending.input,
    })
  }
}

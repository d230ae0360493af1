import type { ResponseAnswer } from '../../protocol/down-message.ts'
import { encodeValue } from '../../codec/value/encode.ts'
import { isRetryable } from '../../protocol/errors.ts'
import { INPUT_BYTES_MAX } from '../../protocol/limits.ts'
import type { RequestMessage } from '../../protocol/up-frame.ts'
import { NO_DETAILS, type RawOutcome } from './outcome.ts'
import type { ClientClock } from '../connection/ports.ts'

/** Bytes of the outcome may be a view of the frame that brought them: whoever keeps them for long copies them. */
export type Done = (outcome: RawOutcome, requestId: number) => void

/** A command that was asked for and has no outcome yet. */
export interface PendingCommand {
  /** Changes while it was never sent only: the first attach of a session that is taken up again tells which ids are free. */
  requestId: number
  /** What `execute` returned. */
  readonly givenId: number
  readonly machine: string
  readonly command: string
  readonly input: Uint8Array
  /** Null once its outcome was reported as unknown: it then only holds the floor, until resolve or abandon. */
  done: Done | null
  /** Monotonic ms, or 0: none. */
  deadlineAt: number
  /** Copies sent that were not definitely refused: while there is one, the command may have been executed. */
  unanswered: number
  /** When the first copy was sent; 0: none was. */
  sentAt: number
  resend: boolean
  /** Why the last copy was refused, and how often that was for good. */
  lastCode: string
  refusals: number
}

export interface RequestWindowOptions {
  readonly clock: ClientClock
  /** True while copies can be sent. */
  canSend(): boolean
  send(message: RequestMessage): void
  readonly channel: number
  /** The ack that rides along; 0: none. */
  takeAck(): number
  /** A copy that was sent then was applied: the session was renewed. */
  confirmed(sentAt: number): void
}

/** Commands that may wait in this process. */
const BACKLOG_MAX = 65_536
/** Late outcomes kept for `resolve`. */
const RESOLVED_MAX = 1024
/** A copy that is refused for good this often, while another one's fate stays open, ends as unknown. */
const REFUSALS_MAX = 8
const RETRY_FIRST_MS = 10
const RETRY_MAX_MS = 500

/**
 * The commands of one session (sessions.md §3, §7): gives ids, sends within the window, sends again with the same id and in
 * order until an outcome or the deadline, and tells the lowest id without a response (LR-002).
 */
export class RequestWindow {
  /** Highest id above the lowest that may be sent; the greeting says. */
  windowRequests = 1024
  private readonly options: RequestWindowOptions
  private readonly pending = new Map<number, PendingCommand>()
  private readonly resolved = new Map<number, RawOutcome>()
  /** Commands whose id is not the one that `execute` returned, by that one. */
  private readonly renumbered = new Map<number, PendingCommand>()
  private nextId = 1
  private lowest = 1
  /** Ids from here on were never sent because of the window or the connection. */
  private unsentFrom = 1
  private deadlineTimer: { at: number; timer: { cancel(): void } } | null = null
  private retryTimer: { cancel(): void } | null = null
  private retryMs = RETRY_FIRST_MS

  constructor(options: RequestWindowOptions) {
    this.options = options
  }

  get size(): number {
    return this.pending.size
  }

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
    while (this.lowest < nextRequestId && !this.pending.has(this.lowest)) this.lowest += 1
  }

  /** Gives a command its id and sends it when possible. `deadlineAt` 0: none. The id, or 0 when the backlog is full. */
  execute(command: { machine: string; command: string; input: Uint8Array }, deadlineAt: number, done: Done): number {
    if (this.pending.size >= BACKLOG_MAX) {
      done({ kind: 'notExecuted', code: 'BACKLOG_FULL', details: NO_DETAILS }, 0)
      return 0
    }
    if (command.input.length > INPUT_BYTES_MAX) {
      // No frame can carry it: the server would end the connection, and again after every resend.
      const details = encodeValue({ bytes: command.input.length, max: INPUT_BYTES_MAX })
      done({ kind: 'notExecuted', code: 'COMMAND_TOO_LARGE', details }, 0)
      return 0
    }
    const requestId = this.nextId
    this.nextId += 1
    this.pending.set(requestId, {
      requestId,
      givenId: requestId,
      machine: command.machine,
      command: command.command,
      input: command.input,
      done,
      deadlineAt,
      unanswered: 0,
      sentAt: 0,
      resend: false,
      lastCode: '',
      refusals: 0,
    })
    if (deadlineAt > 0) this.armDeadline(deadlineAt)
    this.sendUnsent()
    return requestId
  }

  /**
   * A new attach epoch is in the log. Copies of older epochs are fenced from then on, so an id that had not been executed by
   * then (`nextRequestId` is above all that were) has no copy left that could be.
   */
  fencedBelow(nextRequestId: number): void {
    for (const pending of this.pending.values()) if (pending.requestId >= nextRequestId) pending.unanswered = 0
  }

  /** Everything without an answer, again and in id order (P-32): also what was reported unknown, which holds the floor. */
  resendAll(): void {
    this.retryMs = RETRY_FIRST_MS
    for (const pending of this.pending.values()) {
      if (pending.requestId >= this.unsentFrom) break
      this.send(pending)
    }
    this.sendUnsent()
  }

  answered(requestId: number, answer: ResponseAnswer): void {
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
        return this.retryLater(pending)
    }
  }

  /** The caller no longer waits; a copy may still be executed. `givenId` is what `execute` returned. */
  abort(givenId: number, code: string): void {
    const pending = this.renumbered.get(givenId) ?? this.pending.get(givenId)
    if (pending !== undefined && pending.done !== null) this.giveUp(pending, code)
  }

  /** Waits again for the outcome of a command that was reported unknown; false when there is none of that id. */
  resolve(requestId: number, deadlineAt: number, done: Done): boolean {
    const known = this.resolved.get(requestId)
    if (known !== undefined) {
      this.resolved.delete(requestId)
      done(known, requestId)
      return true
    }
    const pending = this.pending.get(requestId)
    if (pending === undefined || pending.done !== null) return false
    pending.done = done
    pending.deadlineAt = deadlineAt
    if (deadlineAt > 0) this.armDeadline(deadlineAt)
    if (this.options.canSend()) this.send(pending)
    return true
  }

  /**
   * Lets the floor pass a command that was reported unknown: once a later command, which carries the floor, was applied, no
   * late copy of it is executed any more.
   */
  abandon(requestId: number): boolean {
    this.resolved.delete(requestId)
    const pending = this.pending.get(requestId)
    if (pending === undefined) return false
    const { done } = pending
    this.release(pending)
    done?.(outcomeOf(pending, 'ABANDONED'), requestId)
    return true
  }

  /** No outcome will come any more: the session is lost or closed (P-34). */
  failAll(code: string): void {
    this.deadlineTimer?.timer.cancel()
    this.deadlineTimer = null
    this.retryTimer?.cancel()
    this.retryTimer = null
    const all = [...this.pending.values()]
    this.pending.clear()
    this.renumbered.clear()
    for (const pending of all) pending.done?.(outcomeOf(pending, code), pending.requestId)
  }

  private refused(pending: PendingCommand, code: string, details: Uint8Array): void {
    if (pending.unanswered > 0) pending.unanswered -= 1
    pending.lastCode = code
    // Its response is gone: it was executed or abandoned, and nobody can say which (LR-010).
    if (code === 'RESPONSE_EVICTED') return this.finish(pending, { kind: 'unknown', code })
    // The id belongs to another command: no copy of this one can be executed.
    const final = !isRetryable('request', code) && code !== 'NOT_ATTACHED'
    if (code === 'REQUEST_CONFLICT' || (final && pending.unanswered === 0)) {
      return this.finish(pending, { kind: 'notExecuted', code, details: Uint8Array.from(details) })
    }
    if (final) pending.refusals += 1
    if (code === 'OUT_OF_ORDER') this.resendBelow(pending.requestId)
    if (pending.refusals >= REFUSALS_MAX) return this.finish(pending, { kind: 'unknown', code })
    this.retryLater(pending)
  }

  private retryLater(pending: PendingCommand): void {
    pending.resend = true
    if (this.retryTimer !== null) return
    this.retryTimer = this.options.clock.setTimer(this.retryMs, () => this.retry())
    this.retryMs = Math.min(this.retryMs * 2, RETRY_MAX_MS)
  }

  private resendBelow(requestId: number): void {
    for (const pending of this.pending.values()) {
      if (pending.requestId >= requestId) return
      pending.resend = true
    }
  }

  private retry(): void {
    this.retryTimer = null
    if (!this.options.canSend()) return
    for (const pending of this.pending.values()) if (pending.resend) this.send(pending)
  }

  private finish(pending: PendingCommand, outcome: RawOutcome): void {
    const { done, requestId } = pending
    this.retryMs = RETRY_FIRST_MS
    this.release(pending)
    if (done !== null) return done(outcome, requestId)
    this.resolved.set(requestId, detached(outcome))
    if (this.resolved.size <= RESOLVED_MAX) return
    for (const oldest of this.resolved.keys()) {
      this.resolved.delete(oldest)
      return
    }
  }

  /** Reports what can be said now. An unknown one stays and holds the floor. */
  private giveUp(pending: PendingCommand, code: string): void {
    const { done, requestId } = pending
    const outcome = outcomeOf(
      pending,
      pending.unanswered > 0 ? code : pending.lastCode === '' && code === 'DEADLINE_EXCEEDED' ? 'NO_LEADER' : code,
    )
    if (outcome.kind === 'notExecuted') this.release(pending)
    else {
      pending.done = null
      pending.deadlineAt = 0
    }
    done?.(outcome, requestId)
  }

  private release(pending: PendingCommand): void {
    this.pending.delete(pending.requestId)
    this.renumbered.delete(pending.givenId)
    while (this.lowest < this.nextId && !this.pending.has(this.lowest)) this.lowest += 1
    if (this.unsentFrom < this.lowest) this.unsentFrom = this.lowest
    if (this.unsentFrom < this.nextId) this.sendUnsent()
  }

  private sendUnsent(): void {
    if (!this.options.canSend()) return
    const end = Math.min(this.nextId, this.lowest + this.windowRequests)
    while (this.unsentFrom < end) {
      const pending = this.pending.get(this.unsentFrom)
      this.unsentFrom += 1
      if (pending !== undefined) this.send(pending)
    }
  }

  private send(pending: PendingCommand): void {
    pending.resend = false
    pending.unanswered += 1
    if (pending.sentAt === 0) pending.sentAt = this.options.clock.nowMs()
    this.options.send({
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

  private armDeadline(at: number): void {
    if (this.deadlineTimer !== null && this.deadlineTimer.at <= at) return
    this.deadlineTimer?.timer.cancel()
    const { clock } = this.options
    this.deadlineTimer = { at, timer: clock.setTimer(Math.max(0, at - clock.nowMs()), () => this.checkDeadlines()) }
  }

  private checkDeadlines(): void {
    this.deadlineTimer = null
    const now = this.options.clock.nowMs()
    let next = 0
    for (const pending of [...this.pending.values()]) {
      if (pending.deadlineAt === 0) continue
      if (pending.deadlineAt <= now) this.giveUp(pending, 'DEADLINE_EXCEEDED')
      else if (next === 0 || pending.deadlineAt < next) next = pending.deadlineAt
    }
    if (next > 0) this.armDeadline(next)
  }
}

/** Definite only while no copy is out whose fate nobody told (sessions.md §3). */
function outcomeOf(pending: PendingCommand, code: string): RawOutcome {
  return pending.unanswered > 0 ? { kind: 'unknown', code } : { kind: 'notExecuted', code, details: NO_DETAILS }
}

/** An outcome whose bytes do not keep a whole frame alive. */
function detached(outcome: RawOutcome): RawOutcome {
  if (outcome.kind === 'ok') return { ...outcome, value: Uint8Array.from(outcome.value) }
  if (outcome.kind === 'rejected') return { ...outcome, details: Uint8Array.from(outcome.details) }
  return outcome
}

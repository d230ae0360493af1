import { unreachable } from '../../base/assert.ts'
import type { Value } from '../../codec/value/value.ts'
import { decodeValue } from '../../codec/value/decode.ts'
import { encodeValue } from '../../codec/value/encode.ts'
import type { GreetingMessage } from '../../protocol/down-message.ts'
import { isRetryable } from '../../protocol/errors.ts'
import type { UpMessage } from '../../protocol/up-frame.ts'
import type { CommandCall, Done } from '../calls/pending-command.ts'
import { NO_DETAILS, numberIn } from '../calls/raw-outcome.ts'
import { RequestWindow } from '../calls/request-window.ts'
import { checkEncodedCommand } from '../check/check-call.ts'
import { callback } from '../check/fields.ts'
import { checked, orThrow } from '../check/invalid-argument.ts'
import type { ClientEnvironment, SessionMessage } from '../connection/ports.ts'
import type { Callbacks } from './callbacks.ts'
import { KeepAlive } from './keep-alive.ts'
import { RequestInbox } from './request-inbox.ts'
import { SessionClaim } from './session-claim.ts'
import type { LostReason, SessionEvents, ClientSessionState } from './session-events.ts'
import type { SessionSettings, SessionToken } from './session-settings.ts'

/** The connection of a session, which it shares with others. */
export interface SessionHost {
  readonly environment: ClientEnvironment
  /** Calls what the user gave. */
  readonly callbacks: Callbacks
  /** The leader is reached. */
  readonly ready: boolean
  /** The leader's greeting; null while there is none. */
  readonly greeting: GreetingMessage | null
  /** Adds a message to this turn's frame; dropped while not ready. */
  sendMessage(message: UpMessage): void
  /** The session is over; its channel is free. */
  released(channel: number): void
  /** Its timeout, ms, as the server grants it, which need not be what was asked for: how often `tick` is due follows. */
  granted(timeoutMs: number): void
}

/** An open, attach or close that was refused for now is said again after this long. */
const RETRY_MS = 200
type Phase = 'opening' | 'attaching' | 'attached' | 'over'

/** One session's protocol: opens, attaches again after every failure, stays alive, ends (sessions.md §4, wire.md §8.3). */
export class SessionCore {
  readonly channel: number
  readonly window: RequestWindow
  private readonly host: SessionHost
  private readonly events: SessionEvents
  private readonly inbox: RequestInbox
  private readonly claim: SessionClaim
  private readonly keepAlive: KeepAlive
  private phase: Phase
  private everAttached = false
  private attachSentAt = 0
  /** Greeting of the stream on which it was attached last. */
  private attachedOn: GreetingMessage | null = null
  /** Set from `closeSession` on: told whether the server has closed the session. */
  private closing: ((closed: boolean) => void) | null = null
  private retryTimer: { cancel(): void } | null = null
  /** Why it is over. */
  private endCode = ''
  /** It is over without a word to the server. */
  private dropped = false
  /** Ids below this were its earlier holder's, if it was taken up; 0: it was not, or has not attached yet. */
  private takenUpFrom = 0
  private readonly takenUp: boolean

  constructor(host: SessionHost, channel: number, settings: SessionSettings, events: SessionEvents) {
    const { environment } = host
    this.host = host
    this.channel = channel
    this.events = events
    this.claim = new SessionClaim(channel, settings, (count) => environment.randomBytes(count))
    this.takenUp = settings.resume !== null
    this.phase = settings.resume === null ? 'opening' : 'attaching'
    this.keepAlive = new KeepAlive({
      timeoutMs: settings.timeoutMs,
      now: () => environment.clock.nowMs(),
      sendPing: () => host.sendMessage({ kind: 'ping', channel }),
      onSuspended: () => events.onSuspended(),
      onResumed: () => events.onResumed(),
    })
    this.inbox = new RequestInbox({
      clock: environment.clock,
      handler: events.onServerRequest,
      onError: (error, request) => events.onHandlerError(error, request),
      sendAck: (serverRequestId) => {
        if (this.canSend) host.sendMessage({ kind: 'ack', channel, serverRequestId })
      },
    })
    this.window = new RequestWindow({
      clock: environment.clock,
      channel,
      ordered: settings.ordered,
      leaderReached: () => host.ready,
      canSend: () => this.canSend,
      sendMessage: (message) => host.sendMessage(message),
      takeAck: () => this.inbox.takeAck(),
      confirmed: (sentAt) => this.keepAlive.confirmed(sentAt),
    })
    if (host.ready && host.greeting !== null) this.connected(host.greeting)
  }

  /** Attached, and the leader is reached. */
  get canSend(): boolean {
    return this.phase === 'attached' && this.host.ready
  }

  /** Refused, lost or closed: nothing comes of it any more. */
  get over(): boolean {
    return this.phase === 'over'
  }

  /** It has asked for something that only the leader can answer. */
  get awaitsAnswer(): boolean {
    const { phase, keepAlive, window, closing } = this
    return phase !== 'attached' || keepAlive.awaitsAnswer || window.size > 0 || closing !== null
  }

  /** Why it is over; '' while it is not. */
  get endedBy(): string {
    return this.endCode
  }

  /** Ids below this were given by its earlier holder; 0: it was opened here. */
  get firstOwnId(): number {
    return this.takenUpFrom
  }

  /** `attached` until it is suspended or over, also while its leader is looked for. */
  get state(): ClientSessionState {
    if (this.phase === 'over') return 'over'
    if (this.keepAlive.suspended) return 'suspended'
    return this.everAttached ? 'attached' : 'opening'
  }

  /** What another process needs to take the session up; null before it was opened. */
  get token(): SessionToken | null {
    return this.claim.token
  }

  /**
   * Takes a command into the window, to be sent when it can be. `deadlineAt`: monotonic ms, 0: none. `done` hears the outcome
   * once, perhaps before this returns. Returns the request id, from 1; 0 when the outcome was given at once: INVALID with the
   * field for what no frame can carry, SESSION_CLOSED from `closeSession` on, and once the session is over, why it is. Throws
   * InvalidArgument if `done` is no function.
   */
  enqueue(call: CommandCall, deadlineAt: number, done: Done): number {
    orThrow('done', () => callback(done, 'done'))
    const { callbacks } = this.host
    const told: Done = (outcome, requestId) => callbacks.call('done', () => done(outcome, requestId))
    const usable = checked('call', () => checkEncodedCommand(call, deadlineAt))
    if (!usable.ok) {
      const { code, field, problem } = usable.error
      told({ kind: 'notExecuted', code, details: encodeValue({ field, problem }) }, 0)
      return 0
    }
    return this.enqueueChecked(usable.value, deadlineAt, told)
  }

  /** The same for what was checked already; `done` does not throw. PERF: a second check is a fifth of what a command costs. */
  enqueueChecked(call: CommandCall, deadlineAt: number, done: Done): number {
    // Behind a close it would reach a session that has ended.
    if (this.phase !== 'over' && this.closing === null) return this.window.enqueue(call, deadlineAt, done)
    done({ kind: 'notExecuted', code: this.endCode === '' ? 'SESSION_CLOSED' : this.endCode, details: NO_DETAILS }, 0)
    return 0
  }

  /** Ends the session after everything that was sent before; false when that could not be told to the server. */
  closeSession(done: (closed: boolean) => void): void {
    orThrow('done', () => callback(done, 'done'))
    const told = (closed: boolean): void => this.host.callbacks.call('done', () => done(closed))
    if (this.phase === 'over') return told(!this.dropped)
    const { closing } = this
    this.closing = (closed) => {
      closing?.(closed)
      told(closed)
    }
    if (closing !== null || !this.canSend) return
    // What was handled must not be among the requests that the machine hears of as pending.
    this.inbox.flush()
    this.host.sendMessage({ kind: 'close', channel: this.channel })
  }

  /**
   * Forgets the session without telling the server, which expires it in its time. Outstanding commands end with the code;
   * it is no loss that anybody has to hear of.
   */
  drop(code: 'SESSION_CLOSED' | 'DETACHED' = 'SESSION_CLOSED'): void {
    if (this.phase === 'over') return
    this.inbox.flush()
    const { closing } = this
    this.dropped = true
    this.end(code)
    this.window.failAll(code)
    closing?.(false)
  }

  // From the host.

  /** The leader is there: open or attach. */
  connected(greeting: GreetingMessage): void {
    if (this.phase === 'over') return
    // 0: the node greeted before the log's limits reached it; apply judges the window all the same.
    if (greeting.windowRequests > 0) this.window.windowRequests = greeting.windowRequests
    this.inbox.credit = greeting.credit
    if (this.claim.numbers === null) return this.open(greeting)
    this.attach()
    // Its ids are its own, and whatever is answered on a new stream is what rides there.
    if (this.everAttached && this.attachedOn !== greeting) this.window.ride()
  }

  /** The leader is no longer reached. */
  disconnected(): void {
    this.retryTimer?.cancel()
    this.retryTimer = null
    if (this.phase === 'attached') this.phase = 'attaching'
    this.window.disconnected()
    this.keepAlive.disconnected()
  }

  /** Every now and then: keep-alive and suspension. */
  tick(now: number): void {
    if (this.phase !== 'over' && this.everAttached) this.keepAlive.tick(now, this.canSend)
  }

  /** What the leader says to this session. */
  receive(message: SessionMessage): void {
    if (this.phase === 'over') return
    switch (message.kind) {
      case 'response':
        return this.responded(message.requestId, message.answer)
      case 'serverRequest':
        return this.inbox.receive(message)
      case 'opened':
        if (this.claim.numbers !== null) return
        this.claim.opened(message)
        this.phase = 'attaching'
        return this.attach()
      case 'attached':
        return this.attached(message)
      case 'pong':
        return this.keepAlive.pingAnswered()
      case 'closed':
        return this.finish('SESSION_CLOSED', true)
      case 'ended':
        return this.finish(message.reason === 'closed' ? 'SESSION_CLOSED' : 'SESSION_EXPIRED', this.closing !== null)
      case 'superseded':
        return this.superseded()
      case 'refused':
        return this.refused(message)
      case 'acknowledged':
        // The inbox says an ack again when it was refused or the session attaches anew; taken ones need nothing.
        return
      default:
        return unreachable(message)
    }
  }

  private open(greeting: GreetingMessage): void {
    this.attachSentAt = this.host.environment.clock.nowMs()
    this.host.sendMessage(this.claim.openMessage(greeting.now))
  }

  private attach(): void {
    const message = this.host.ready ? this.claim.attachMessage() : null
    if (message === null) return
    this.attachSentAt = this.host.environment.clock.nowMs()
    this.host.sendMessage(message)
  }

  private attached(message: Extract<SessionMessage, { kind: 'attached' }>): void {
    this.keepAlive.timeoutMs = message.timeoutMs
    this.host.granted(message.timeoutMs)
    if (message.epoch !== this.claim.epoch) this.window.fenceOldCopies(message.nextRequestId)
    this.claim.attached(message.epoch)
    this.phase = 'attached'
    this.attachedOn = this.host.greeting
    this.keepAlive.confirmed(this.attachSentAt)
    this.window.startFrom(message.nextRequestId)
    this.inbox.startFrom(message.acknowledged)
    const first = !this.everAttached
    if (first && this.takenUp) this.takenUpFrom = message.nextRequestId
    this.everAttached = true
    if (first) this.events.onReady()
    this.window.resendAll()
    if (this.closing !== null) this.host.sendMessage({ kind: 'close', channel: this.channel })
  }

  private responded(requestId: number, answer: Extract<SessionMessage, { kind: 'response' }>['answer']): void {
    if (answer.kind === 'refused' && answer.code === 'FENCED' && this.fencedByItself(answer.details)) return
    this.window.settle(requestId, answer)
    if (answer.kind !== 'refused' && answer.kind !== 'notExecuted') return
    this.inbox.acknowledgeAgain()
    switch (answer.code) {
      case 'SESSION_EXPIRED':
      case 'SESSION_UNKNOWN':
      case 'CLUSTER_CHANGED':
      case 'WRONG_GROUP':
        return this.finish(answer.code, false)
      case 'FENCED':
        return this.superseded()
      case 'NOT_ATTACHED':
        if (this.phase !== 'attached') return
        this.phase = 'attaching'
        return this.attach()
      default:
        return
    }
  }

  private refused({ subject, code, details }: Extract<SessionMessage, { kind: 'refused' }>): void {
    const reason = decodeValue(details)
    if (subject === 'ping') this.keepAlive.pingRefused()
    switch (code) {
      case 'SESSION_EXPIRED':
      case 'SESSION_UNKNOWN':
      case 'CLUSTER_CHANGED':
      case 'WRONG_GROUP':
        if (subject === 'attach') this.window.rideRefused()
        return this.finish(code, false)
      case 'FENCED':
        if (!this.fencedByItself(details)) return this.superseded()
        if (subject === 'ack') this.inbox.acknowledgeAgain()
        if (subject === 'close') this.retrySoon()
        return
      case 'ATTACH_CONFLICT':
        return this.conflicted(reason)
      case 'NOT_ATTACHED':
        if (this.phase !== 'attached') return
        this.phase = 'attaching'
        return this.attach()
      default:
        if (subject === 'open' && this.claim.takeLogTime(code, reason)) return this.retrySoon()
        // By the rows of attach for both: what those of open have beside them, a full group, may last, and is told.
        if (subject === 'open' && !isRetryable('attach', code)) return this.refuse(code, reason)
        // Taken up with a token that is malformed: no repetition changes that.
        if (subject === 'attach' && !this.everAttached && !isRetryable('attach', code)) return this.refuse(code, reason)
        if (subject === 'ack') this.inbox.acknowledgeAgain()
        if (subject === 'open' || subject === 'attach' || subject === 'close') this.retrySoon()
    }
  }

  /** Its own newer attach fenced what it had said before; a copy from then is counted no more (`fenceOldCopies`). */
  private fencedByItself(details: Uint8Array): boolean {
    return numberIn(decodeValue(details), 'current') === this.claim.epoch
  }

  /**
   * Somebody attached after the attachment that this speaks of. While an attach of ours is under way, that somebody may be
   * ourselves: it was appended, its answer was lost with its leader, and the next leader that applies it fences our older
   * attachment, perhaps on this very stream. Our attach is told which: the epoch of its nonce, or ATTACH_CONFLICT.
   */
  private superseded(): void {
    if (this.phase === 'attached') this.finish('SUPERSEDED', false)
  }

  /** Somebody else attached: who takes a session up learns its epoch here, anybody else has lost it. */
  private conflicted(details: Value): void {
    if (this.claim.takeEpoch(details)) return this.attach()
    this.window.rideRefused()
    this.finish('SUPERSEDED', false)
  }

  private retrySoon(): void {
    this.retryTimer?.cancel()
    this.retryTimer = this.host.environment.clock.setTimer(RETRY_MS, () => {
      this.retryTimer = null
      const { greeting, ready } = this.host
      if (!ready || greeting === null || this.phase === 'over') return
      if (this.phase !== 'attached') this.connected(greeting)
      else if (this.closing !== null) this.host.sendMessage({ kind: 'close', channel: this.channel })
    })
  }

  private refuse(code: string, details: Value): void {
    const { closing } = this
    this.end(code)
    this.window.failAll(code)
    this.events.onRefused(code, details)
    closing?.(false)
  }

  private finish(reason: LostReason, closed: boolean): void {
    const { closing } = this
    this.end(reason)
    this.window.failAll(reason)
    if (closing === null) this.events.onLost(reason)
    else closing(closed)
  }

  private end(code: string): void {
    this.phase = 'over'
    this.endCode = code
    this.closing = null
    this.retryTimer?.cancel()
    this.inbox.stop()
    this.host.released(this.channel)
  }
}

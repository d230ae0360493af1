import type { SessionNumbers } from '../../codec/entry/payload.ts'
import { unreachable } from '../../base/assert.ts'
import type { Value } from '../../codec/value/value.ts'
import { decodeValue } from '../../codec/value/decode.ts'
import { encodeValue } from '../../codec/value/encode.ts'
import type { GreetingMessage } from '../../protocol/down-message.ts'
import { NONCE_BYTES } from '../../protocol/limits.ts'
import type { UpMessage } from '../../protocol/up-frame.ts'
import type { ClientEnvironment, SessionMessage } from '../connection/ports.ts'
import { RequestInbox } from './request-inbox.ts'
import { type CommandCall, type Done, RequestWindow } from './request-window.ts'
import type { LostReason, SessionEvents } from './session-events.ts'
import { secretBytes, secretText, type SessionSettings, type SessionToken } from './session-settings.ts'

/** The connection of a session, which it shares with others. */
export interface SessionHost {
  readonly environment: ClientEnvironment
  /** The leader is reached. */
  readonly ready: boolean
  /** The leader's greeting; null while there is none. */
  readonly greeting: GreetingMessage | null
  /** Adds a message to this turn's frame; dropped while not ready. */
  sendMessage(message: UpMessage): void
  /** The session is over; its channel is free. */
  released(channel: number): void
}

/** An open is valid for this long after the log's time, which bounds how late a lost copy of it may still open. */
const VALID_FOR_MS = 2 * 60_000
const SECRET_BYTES = 32
/** An open, attach or close that was refused for now is said again after this long. */
const RETRY_MS = 200
/** Pings go out when nothing was confirmed for a quarter of the timeout: below the third that the server allows for. */
const PING_PART = 4

type Phase = 'opening' | 'attaching' | 'attached' | 'over'

/** One session's protocol: opens, attaches again after every failure, stays alive, ends (sessions.md §4, wire.md §8.3). */
export class SessionCore {
  readonly channel: number
  readonly window: RequestWindow
  private readonly host: SessionHost
  private readonly settings: SessionSettings
  private readonly events: SessionEvents
  private readonly inbox: RequestInbox
  private readonly secret: Uint8Array
  private phase: Phase
  private numbers: SessionNumbers | null = null
  private epoch = 0
  /** Repeated until its attach is answered, so that a lost reply gives the same epoch. */
  private nonce: Uint8Array | null = null
  /** Log time up to which the open may be applied; 0: not opened yet. Repeated unchanged with the secret. */
  private validUntil = 0
  /** How often the time out of a refusal was used for `validUntil`. */
  private logTimesTaken = 0
  private everAttached = false
  /** Taken up without its epoch: the first ATTACH_CONFLICT tells it. */
  private adopting: boolean
  private timeoutMs: number
  private attachSentAt = 0
  /** When the newest message was sent that the server has answered as applied, monotonic ms: the session was renewed then. */
  private confirmedAt: number
  private pingSentAt = 0
  /** When the pings without an answer were sent, oldest first: they are answered in order. */
  private unansweredPings: number[] = []
  private isSuspended = false
  /** Set from `closeSession` on: told whether the server has closed the session. */
  private closing: ((closed: boolean) => void) | null = null
  private retryTimer: { cancel(): void } | null = null

  constructor(host: SessionHost, channel: number, settings: SessionSettings, events: SessionEvents) {
    const { environment } = host
    const { resume } = settings
    this.host = host
    this.channel = channel
    this.settings = settings
    this.events = events
    this.secret = resume === null ? environment.randomBytes(SECRET_BYTES) : secretBytes(resume.secret)
    this.numbers = resume
    this.epoch = resume?.epoch ?? 0
    this.adopting = resume !== null && resume.epoch === 0
    this.phase = resume === null ? 'opening' : 'attaching'
    this.timeoutMs = settings.timeoutMs
    this.confirmedAt = environment.clock.nowMs()
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
      canSend: () => this.canSend,
      sendMessage: (message) => host.sendMessage(message),
      takeAck: () => this.inbox.takeAck(),
      confirmed: (sentAt) => this.confirmed(sentAt),
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

  /** Nothing was heard for the session's timeout. */
  get suspended(): boolean {
    return this.isSuspended
  }

  /** What another process needs to take the session up; null before it was opened. */
  get token(): SessionToken | null {
    if (this.numbers === null) return null
    const { group, incarnation, index } = this.numbers
    return { group, incarnation, index, secret: secretText(this.secret), epoch: this.epoch }
  }

  /**
   * Takes a command into the window, to be sent when it can be. `deadlineAt`: monotonic ms, 0: none. `done` hears the outcome
   * once, perhaps before this returns. Returns the request id, from 1; 0 when the outcome was given at once.
   */
  enqueue(call: CommandCall, deadlineAt: number, done: Done): number {
    if (this.phase !== 'over') return this.window.enqueue(call, deadlineAt, done)
    done({ kind: 'notExecuted', code: 'SESSION_CLOSED', details: encodeValue(null) }, 0)
    return 0
  }

  /** Ends the session after everything that was sent before; false when that could not be told to the server. */
  closeSession(done: (closed: boolean) => void): void {
    if (this.phase === 'over') return done(true)
    this.closing = done
    if (!this.canSend) return
    // What was handled must not be among the requests that the machine hears of as pending.
    this.inbox.flush()
    this.host.sendMessage({ kind: 'close', channel: this.channel })
  }

  /** Forgets the session without telling the server, which expires it in its time. */
  drop(): void {
    if (this.phase === 'over') return
    this.inbox.flush()
    this.finish('SESSION_CLOSED', false)
  }

  // From the host.

  /** The leader is there: open or attach. */
  connected(greeting: GreetingMessage): void {
    if (this.phase === 'over') return
    // 0: the node greeted before the log's limits reached it; apply judges the window all the same.
    if (greeting.windowRequests > 0) this.window.windowRequests = greeting.windowRequests
    this.inbox.credit = greeting.credit
    if (this.numbers === null) return this.open(greeting)
    this.attach()
  }

  /** The leader is no longer reached. */
  disconnected(): void {
    this.retryTimer?.cancel()
    this.retryTimer = null
    if (this.phase === 'attached') this.phase = 'attaching'
    this.pingSentAt = 0
    this.unansweredPings = []
  }

  /** Every now and then: keep-alive and suspension. */
  tick(now: number): void {
    if (this.phase === 'over' || !this.everAttached) return
    if (now - this.confirmedAt > this.timeoutMs && !this.isSuspended) {
      this.isSuspended = true
      this.events.onSuspended()
    }
    const quiet = this.timeoutMs / PING_PART
    if (!this.canSend || now - this.confirmedAt < quiet || now - this.pingSentAt < quiet) return
    this.pingSentAt = now
    this.unansweredPings.push(now)
    this.host.sendMessage({ kind: 'ping', channel: this.channel })
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
        if (this.numbers !== null) return
        this.numbers = { group: message.group, incarnation: message.incarnation, index: message.index }
        this.phase = 'attaching'
        return this.attach()
      case 'attached':
        return this.attached(message)
      case 'pong':
        return this.confirmed(this.unansweredPings.shift() ?? 0)
      case 'closed':
        return this.finish('SESSION_CLOSED', true)
      case 'ended':
        return this.finish(message.reason === 'closed' ? 'SESSION_CLOSED' : 'SESSION_EXPIRED', this.closing !== null)
      case 'superseded':
        return this.finish('SUPERSEDED', false)
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
    const { principal, roles, capabilities, name, timeoutMs, ordered } = this.settings
    if (this.validUntil === 0) this.validUntil = Math.floor(greeting.now) + VALID_FOR_MS
    this.attachSentAt = this.host.environment.clock.nowMs()
    this.host.sendMessage({
      kind: 'open',
      channel: this.channel,
      secret: this.secret,
      principal,
      roles,
      capabilities: encodeValue(capabilities),
      name,
      timeoutMs,
      validUntil: this.validUntil,
      ordered,
    })
  }

  private attach(): void {
    const { numbers, secret, epoch, channel } = this
    if (numbers === null || !this.host.ready) return
    this.nonce ??= this.host.environment.randomBytes(NONCE_BYTES)
    this.attachSentAt = this.host.environment.clock.nowMs()
    const { group, incarnation, index } = numbers
    this.host.sendMessage({
      kind: 'attach',
      channel,
      group,
      incarnation,
      index,
      secret,
      replaces: epoch,
      nonce: this.nonce,
    })
  }

  private attached(message: Extract<SessionMessage, { kind: 'attached' }>): void {
    this.nonce = null
    this.adopting = false
    this.timeoutMs = message.timeoutMs
    if (message.epoch !== this.epoch) this.window.fenceOldCopies(message.nextRequestId)
    this.epoch = message.epoch
    this.phase = 'attached'
    this.confirmed(this.attachSentAt)
    this.window.startFrom(message.nextRequestId)
    this.inbox.startFrom(message.acknowledged)
    const first = !this.everAttached
    this.everAttached = true
    if (first) this.events.onReady()
    this.window.resendAll()
    if (this.closing !== null) this.host.sendMessage({ kind: 'close', channel: this.channel })
  }

  private responded(requestId: number, answer: Extract<SessionMessage, { kind: 'response' }>['answer']): void {
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
        // Our own newer attach may have fenced an older copy of ours.
        if (numberIn(decodeValue(answer.details), 'current') !== this.epoch) this.finish('SUPERSEDED', false)
        return
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
    if (subject === 'ping') this.unansweredPings.shift()
    switch (code) {
      case 'SESSION_EXPIRED':
      case 'SESSION_UNKNOWN':
      case 'CLUSTER_CHANGED':
      case 'WRONG_GROUP':
        return this.finish(code, false)
      case 'FENCED':
        return this.finish('SUPERSEDED', false)
      case 'ATTACH_CONFLICT':
        return this.conflicted(reason)
      case 'NOT_ATTACHED':
        if (this.phase !== 'attached') return
        this.phase = 'attaching'
        return this.attach()
      default:
        if (subject === 'open' && this.takeLogTime(code, reason)) return this.retrySoon()
        if (subject === 'open' && !RETRIED.has(code)) return this.refuse(code, reason)
        // Taken up with a token that is malformed: no repetition changes that.
        if (subject === 'attach' && !this.everAttached && !RETRIED.has(code)) return this.refuse(code, reason)
        if (subject === 'ack') this.inbox.acknowledgeAgain()
        if (subject === 'open' || subject === 'attach' || subject === 'close') this.retrySoon()
    }
  }

  /**
   * The greeting's time was not the log's (a node that had applied nothing yet, or whose clock is wrong): the refusal says
   * the log's, and the same secret is opened with a bound from that. No earlier copy can open any more, or it has opened
   * this very session. Again a few times: a young leader's median of clocks moves with each voter that it hears.
   */
  private takeLogTime(code: string, details: Value): boolean {
    if (code !== 'OPEN_TOO_LATE' && code !== 'INVALID') return false
    // The refusal of a copy from before: the one with the log's time is under way, or goes out once more.
    if (code === 'OPEN_TOO_LATE' && numberIn(details, 'validUntil') !== this.validUntil) return true
    const now = numberIn(details, 'now')
    if (this.logTimesTaken === LOG_TIMES_MAX || now === null) return false
    this.logTimesTaken += 1
    this.validUntil = now + VALID_FOR_MS
    return true
  }

  /** Somebody else attached: taking up a session without its epoch learns it here, anybody else has lost it. */
  private conflicted(details: Value): void {
    const current = numberIn(details, 'current')
    if (!this.adopting || current === null) return this.finish('SUPERSEDED', false)
    this.epoch = current
    this.adopting = false
    this.attach()
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

  private confirmed(sentAt: number): void {
    if (sentAt > this.confirmedAt) this.confirmedAt = sentAt
    if (!this.isSuspended) return
    this.isSuspended = false
    this.events.onResumed()
  }

  private refuse(code: string, details: Value): void {
    this.end()
    this.window.failAll(code)
    this.events.onRefused(code, details)
  }

  private finish(reason: LostReason, closed: boolean): void {
    const { closing } = this
    this.end()
    this.window.failAll(reason)
    if (closing === null) this.events.onLost(reason)
    else closing(closed)
  }

  private end(): void {
    this.phase = 'over'
    this.closing = null
    this.retryTimer?.cancel()
    this.inbox.stop()
    this.host.released(this.channel)
  }
}

/** Times that an open takes the log's time out of a refusal before it is given up. */
const LOG_TIMES_MAX = 4

/** Refusals of an open that another attempt may overcome. */
const RETRIED = new Set(['NOT_LEADER', 'OVERLOADED', 'NO_QUORUM', 'STORAGE_STALLED', 'APPLY_BEHIND', 'SHUTTING_DOWN'])

function numberIn(details: Value, name: string): number | null {
  const found = Object.entries(details ?? {}).find(([key]) => key === name)
  return typeof found?.[1] === 'number' ? found[1] : null
}

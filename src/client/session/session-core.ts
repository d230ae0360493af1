import type { SessionNumbers } from '../../codec/entry/payload.ts'
import type { Value } from '../../codec/value/value.ts'
import { decodeValue } from '../../codec/value/decode.ts'
import { encodeValue } from '../../codec/value/encode.ts'
import type { DownMessage, GreetingMessage, ServerRequestMessage } from '../../protocol/down-message.ts'
import { NONCE_BYTES } from '../../protocol/limits.ts'
import type { UpMessage } from '../../protocol/up-frame.ts'
import type { LostReason } from './outcome.ts'
import type { ClientEnvironment } from '../connection/ports.ts'
import { type InboxHandler, RequestInbox } from './request-inbox.ts'
import { type Done, RequestWindow } from './request-window.ts'

/** What names a session that was opened before, to take it up again (possibly in another process). */
export interface SessionToken extends SessionNumbers {
  readonly secret: Uint8Array
  /** Attach epoch of its last holder; 0: not known. */
  readonly epoch: number
}

export interface SessionSettings {
  readonly principal: string
  readonly roles: readonly string[]
  readonly capabilities: { readonly [name: string]: Value }
  readonly name: string
  readonly timeoutMs: number
  readonly ordered: boolean
  /** Takes up this session instead of opening one. */
  readonly resume: SessionToken | null
}

export interface SessionEvents {
  /** Attached for the first time: commands reach the log. */
  onReady(): void
  /** It cannot be opened: the code of the refusal. */
  onRefused(code: string, details: Value): void
  /** Nothing was heard for the session's timeout, and heard again. */
  onSuspended(): void
  onResumed(): void
  /** The session is no more; every command has been given its outcome. */
  onLost(reason: LostReason): void
  /** A handler of a server request failed. */
  onHandlerError(error: unknown, request: ServerRequestMessage): void
  readonly onServerRequest: InboxHandler
}

export interface SessionHost {
  readonly environment: ClientEnvironment
  readonly ready: boolean
  readonly greeting: GreetingMessage | null
  send(message: UpMessage): void
  /** The session is over; its channel is free. */
  released(core: SessionCore): void
}

const VALID_FOR_MS = 2 * 60_000
const SECRET_BYTES = 32
const RETRY_MS = 200
/** Pings go out when nothing was confirmed for a quarter of the timeout: below the third that the server allows for. */
const PING_PART = 4

type Phase = 'opening' | 'attaching' | 'attached' | 'over'

/** One session's protocol: opens, attaches again after every failure, stays alive, ends (sessions.md §4). No promises. */
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
  private validUntil = 0
  private greetedAgain = false
  private everAttached = false
  /** Taken up without an epoch: the first conflict tells it. */
  private adopting: boolean
  private timeoutMs: number
  private attachSentAt = 0
  private confirmedAt: number
  private pingSentAt = 0
  /** When the pings without an answer were sent, oldest first: they are answered in order. */
  private unansweredPings: number[] = []
  private isSuspended = false
  private closing: ((closed: boolean) => void) | null = null
  private retryTimer: { cancel(): void } | null = null

  constructor(host: SessionHost, channel: number, settings: SessionSettings, events: SessionEvents) {
    const { environment } = host
    const { resume } = settings
    this.host = host
    this.channel = channel
    this.settings = settings
    this.events = events
    this.secret = resume?.secret ?? environment.randomBytes(SECRET_BYTES)
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
        if (this.canSend) host.send({ kind: 'ack', channel, serverRequestId })
      },
    })
    this.window = new RequestWindow({
      clock: environment.clock,
      channel,
      canSend: () => this.canSend,
      send: (message) => host.send(message),
      takeAck: () => this.inbox.takeAck(),
      confirmed: (sentAt) => this.confirmed(sentAt),
    })
    if (host.ready && host.greeting !== null) this.connected(host.greeting)
  }

  get canSend(): boolean {
    return this.phase === 'attached' && this.host.ready
  }

  get over(): boolean {
    return this.phase === 'over'
  }

  get suspended(): boolean {
    return this.isSuspended
  }

  /** What another process needs to take the session up; null before it was opened. */
  get token(): SessionToken | null {
    const { numbers, secret, epoch } = this
    return numbers === null
      ? null
      : { group: numbers.group, incarnation: numbers.incarnation, index: numbers.index, secret, epoch }
  }

  execute(command: { machine: string; command: string; input: Uint8Array }, deadlineAt: number, done: Done): number {
    if (this.phase !== 'over') return this.window.execute(command, deadlineAt, done)
    done({ kind: 'notExecuted', code: 'SESSION_CLOSED', details: encodeValue(null) }, 0)
    return 0
  }

  /** Ends the session after everything that was sent before; false when that could not be told to the server. */
  close(done: (closed: boolean) => void): void {
    if (this.phase === 'over') return done(true)
    this.closing = done
    if (!this.canSend) return
    // What was handled must not be among the requests that the machine hears of as pending.
    this.inbox.flush()
    this.host.send({ kind: 'close', channel: this.channel })
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
    this.host.send({ kind: 'ping', channel: this.channel })
  }

  receive(message: DownMessage): void {
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
      default:
        return
    }
  }

  private open(greeting: GreetingMessage): void {
    const { principal, roles, capabilities, name, timeoutMs, ordered } = this.settings
    if (this.validUntil === 0) this.validUntil = Math.floor(greeting.now) + VALID_FOR_MS
    this.attachSentAt = this.host.environment.clock.nowMs()
    this.host.send({
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
    this.host.send({ kind: 'attach', channel, group, incarnation, index, secret, replaces: epoch, nonce: this.nonce })
  }

  private attached(message: Extract<DownMessage, { kind: 'attached' }>): void {
    this.nonce = null
    this.adopting = false
    this.timeoutMs = message.timeoutMs
    if (message.epoch !== this.epoch) this.window.fencedBelow(message.nextRequestId)
    this.epoch = message.epoch
    this.phase = 'attached'
    this.confirmed(this.attachSentAt)
    this.window.startFrom(message.nextRequestId)
    this.inbox.startFrom(message.acknowledged)
    const first = !this.everAttached
    this.everAttached = true
    if (first) this.events.onReady()
    this.window.resendAll()
    if (this.closing !== null) this.host.send({ kind: 'close', channel: this.channel })
  }

  private responded(requestId: number, answer: Extract<DownMessage, { kind: 'response' }>['answer']): void {
    this.window.answered(requestId, answer)
    if (answer.kind !== 'refused' && answer.kind !== 'notExecuted') return
    this.inbox.sayAgain()
    switch (answer.code) {
      case 'SESSION_EXPIRED':
      case 'SESSION_UNKNOWN':
      case 'CLUSTER_CHANGED':
      case 'WRONG_GROUP':
        return this.finish(answer.code, false)
      case 'FENCED':
        // Our own newer attach may have fenced an older copy of ours.
        if (currentOf(decodeValue(answer.details)) !== this.epoch) this.finish('SUPERSEDED', false)
        return
      case 'NOT_ATTACHED':
        if (this.phase !== 'attached') return
        this.phase = 'attaching'
        return this.attach()
      default:
        return
    }
  }

  private refused({ subject, code, details }: Extract<DownMessage, { kind: 'refused' }>): void {
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
        if (subject === 'open' && this.mayGreetAgain(code, reason)) return this.retrySoon()
        if (subject === 'open' && !RETRIED.has(code)) return this.refuse(code, reason)
        // Taken up with a token that is malformed: no repetition changes that.
        if (subject === 'attach' && !this.everAttached && !RETRIED.has(code)) return this.refuse(code, reason)
        if (subject === 'ack') this.inbox.sayAgain()
        if (subject === 'open' || subject === 'attach' || subject === 'close') this.retrySoon()
    }
  }

  /**
   * The greeting's time was not the log's (a node that had applied nothing yet, or whose clock is wrong): the refusal says
   * the log's, and the same secret is opened with a bound from that. No earlier copy can open any more, or it has opened
   * this very session. Once only.
   */
  private mayGreetAgain(code: string, details: Value): boolean {
    if (this.greetedAgain || (code !== 'OPEN_TOO_LATE' && code !== 'INVALID')) return false
    const now = typeof details === 'object' && details !== null && 'now' in details ? details.now : null
    if (typeof now !== 'number') return false
    this.greetedAgain = true
    this.validUntil = now + VALID_FOR_MS
    return true
  }

  /** Somebody else attached: taking up a session without its epoch learns it here, anybody else has lost it. */
  private conflicted(details: Value): void {
    const current = currentOf(details)
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
      else if (this.closing !== null) this.host.send({ kind: 'close', channel: this.channel })
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
    this.inbox.close()
    this.host.released(this)
  }
}

/** Refusals of an open that another attempt may overcome. */
const RETRIED = new Set(['NOT_LEADER', 'OVERLOADED', 'NO_QUORUM', 'STORAGE_STALLED', 'APPLY_BEHIND', 'SHUTTING_DOWN'])

function currentOf(details: Value): number | null {
  if (details === null || typeof details !== 'object' || !('current' in details)) return null
  return typeof details.current === 'number' ? details.current : null
}

import { checkEndpoints, checkEnvironment, checkNodeName } from '../check/check-connect.ts'
import { checkEncodedQuery } from '../check/check-call.ts'
import { checkSettings } from '../check/check-settings.ts'
import { callback, fieldsOf, name as checkName, waitMs } from '../check/fields.ts'
import { checked, orThrow } from '../check/invalid-argument.ts'
import type { GreetingMessage } from '../../protocol/down-message.ts'
import type { UpMessage } from '../../protocol/up-frame.ts'
import { LeaderConnection } from '../connection/leader-connection.ts'
import type { ClientEnvironment, PassedMessage } from '../connection/ports.ts'
import { QueryBoard, type QueryRequest, type RawQueryOutcome } from '../calls/query-board.ts'
import { SubscriptionBoard, type SubscribeRequest, type SubscriptionListener } from '../calls/subscription-board.ts'
import { Callbacks } from './callbacks.ts'
import { SessionCore, type SessionHost } from './session-core.ts'
import type { SessionEvents } from './session-events.ts'
import type { SessionSettings } from './session-settings.ts'

/** Where to connect, and how patiently (wire.md §8.1). */
export interface MultiSessionOptions {
  readonly environment: ClientEnvironment
  /** Any nodes of the cluster: the leader is found from there. */
  readonly endpoints: readonly string[]
  readonly connectTimeoutMs?: number
  readonly leaderWaitMs?: number
  readonly backoffMaxMs?: number
  /** The leader is reached, or lost. For figures and tests. */
  readonly onLeader?: (node: string | null) => void
}

/** Shortest pause between two rounds of keep-alive. */
const TICK_MIN_MS = 50
/** Longest one. */
const TICK_MAX_MS = 60 * 60 * 1000
/** Rounds per session timeout. */
const TICK_PART = 12
/** A silent leader is suspected after a quarter of the shortest session timeout, in rounds, … */
const SILENCE_TICKS = TICK_PART / 4
/** … and after no more than the longest election timeout: by then the others may have elected another one. */
const SILENCE_MS_MAX = 600

/**
 * Many sessions over one stream, with callbacks and without promises: the base of `ClientSession`, and the fast path of
 * benches and replayers. Commands of one turn share one frame.
 */
export class MultiSession implements SessionHost {
  readonly environment: ClientEnvironment
  readonly callbacks: Callbacks
  private readonly connection: LeaderConnection
  private readonly sessions = new Map<number, SessionCore>()
  private readonly queries: QueryBoard
  private readonly subscriptions: SubscriptionBoard
  private nextChannel = 1
  private currentGreeting: GreetingMessage | null = null
  private tickMs = Number.POSITIVE_INFINITY
  private tickTimer: { cancel(): void } | null = null
  /** Why it is closed; '' while it is not. */
  private closedBy = ''

  /** Throws InvalidArgument for options that cannot be used. */
  constructor(given: MultiSessionOptions) {
    const options = orThrow('options', () => checkOptions(given))
    const { onLeader } = options
    this.environment = options.environment
    this.callbacks = new Callbacks((code, message, cause) => options.environment.warn?.(code, message, cause))
    this.queries = new QueryBoard({
      clock: options.environment.clock,
      canSend: () => this.ready,
      sendMessage: (message) => this.connection.sendMessage(message),
    })
    this.subscriptions = new SubscriptionBoard({
      clock: options.environment.clock,
      sendMessage: (message) => this.connection.sendMessage(message),
    })
    this.connection = new LeaderConnection({
      ...options,
      silenceLimitMs: () => Math.min(SILENCE_MS_MAX, this.tickMs * SILENCE_TICKS),
      awaitsAnswer: () => this.awaitsAnswer,
      onReady: (greeting) => {
        this.currentGreeting = greeting
        this.callbacks.call('onLeader', () => onLeader?.(greeting.node))
        for (const session of [...this.sessions.values()]) session.connected(greeting)
        this.queries.connected()
      },
      onDown: () => {
        this.currentGreeting = null
        this.callbacks.call('onLeader', () => onLeader?.(null))
        for (const session of this.sessions.values()) session.disconnected()
        this.subscriptions.disconnected()
      },
      onMessage: (message) => this.receive(message),
    })
  }

  get ready(): boolean {
    return this.connection.ready
  }

  /** The leader's greeting; null while there is none. */
  get greeting(): GreetingMessage | null {
    return this.currentGreeting
  }

  get sessionCount(): number {
    return this.sessions.size
  }

  /** Why the last connection ended. */
  get lastFailure(): string {
    return this.connection.lastFailure
  }

  /**
   * Opens a session (or takes one up); `events.onReady` follows. Behind `close` it is over already, and hears nothing. Throws
   * InvalidArgument for what cannot be opened.
   */
  openSession(given: SessionSettings, listener: SessionEvents): SessionCore {
    const settings = orThrow('settings', () => checkSettings(given))
    const events = orThrow('events', () => this.guarded(listener))
    const channel = this.nextChannel
    this.nextChannel += 1
    const core = new SessionCore(this, channel, settings, events)
    this.sessions.set(channel, core)
    this.granted(settings.timeoutMs)
    // Nobody would ever end it.
    if (this.closedBy !== '') core.drop(dropCode(this.closedBy))
    return core
  }

  /** Runs a query at the leader; `deadlineMs` from now. Throws InvalidArgument where `done` is no function. */
  query(request: QueryRequest, deadlineMs: number, done: (outcome: RawQueryOutcome) => void): void {
    orThrow('done', () => callback(done, 'done'))
    const told = (outcome: RawQueryOutcome): void => this.callbacks.call('done', () => done(outcome))
    const usable = checked('request', () => checkEncodedQuery(request, deadlineMs))
    if (!usable.ok) {
      const { code, field, problem } = usable.error
      told({ kind: 'failed', code, details: { field, problem } })
    } else if (this.closedBy !== '') told({ kind: 'failed', code: this.closedBy })
    else if (usable.value.sessionBound === true && !this.sessions.has(usable.value.channel ?? 0))
      told({ kind: 'failed', code: 'SESSION_CLOSED' })
    else this.queries.query(usable.value, deadlineMs, told)
  }

  /**
   * Subscribes a session of this connection to a query; the listener hears each change, then perhaps an end. Returns what ends
   * it, after which nothing is heard. What is handed over must be usable (`checkSubscribe`).
   */
  subscribe(request: SubscribeRequest, listener: SubscriptionListener): () => void {
    const session = this.sessions.get(request.channel)
    if (session !== undefined) return this.subscriptions.subscribe(request, listener, session.canSend)
    listener.onEnd({ kind: 'failed', code: this.closedBy === '' ? 'SESSION_CLOSED' : this.closedBy, details: null })
    return () => {}
  }

  /**
   * Ends the connection; sessions that were not closed stay open at the server until they expire. What waits ends with
   * `code`: of a lost session the reason, DETACHED for one that is left to another process. Throws InvalidArgument for what
   * is no code, and closes nothing.
   */
  close(code = 'SESSION_CLOSED'): void {
    orThrow('code', () => checkName(code, 'code'))
    if (this.closedBy !== '') return
    this.closedBy = code
    this.tickTimer?.cancel()
    for (const session of [...this.sessions.values()]) session.drop(dropCode(code))
    this.queries.stop(code)
    this.subscriptions.stop(null, code)
    this.connection.close()
  }

  // What its sessions need of it.

  sendMessage(message: UpMessage): void {
    this.connection.sendMessage(message)
  }

  released(channel: number): void {
    const code = this.sessions.get(channel)?.endedBy ?? ''
    this.subscriptions.stop(channel, code)
    this.queries.released(channel, code)
    this.sessions.delete(channel)
  }

  granted(timeoutMs: number): void {
    const tickMs = Math.min(Math.max(TICK_MIN_MS, timeoutMs / TICK_PART), TICK_MAX_MS)
    if (tickMs >= this.tickMs || this.closedBy !== '') return
    this.tickMs = tickMs
    this.armTick()
  }

  /** PERF: asked for only when the leader has been silent, every few hundred milliseconds. */
  private get awaitsAnswer(): boolean {
    if (this.queries.size > 0) return true
    for (const session of this.sessions.values()) if (session.awaitsAnswer) return true
    return false
  }

  /** The events, none of which can throw into the library. */
  private guarded(listener: SessionEvents): SessionEvents {
    const { callbacks } = this
    const events = fieldsOf(listener, 'events') as Partial<SessionEvents>
    for (const name of EVENTS) callback(events[name], `events.${name}`)
    return {
      onReady: () => callbacks.call('onReady', () => listener.onReady()),
      onRefused: (code, details) => callbacks.call('onRefused', () => listener.onRefused(code, details)),
      onSuspended: () => callbacks.call('onSuspended', () => listener.onSuspended()),
      onResumed: () => callbacks.call('onResumed', () => listener.onResumed()),
      onLost: (reason) => callbacks.call('onLost', () => listener.onLost(reason)),
      onHandlerError: (error, request) =>
        callbacks.call('onHandlerError', () => listener.onHandlerError(error, request)),
      onServerRequest: (request, done, leftOut) => {
        try {
          listener.onServerRequest(request, done, leftOut)
        } catch (error) {
          callbacks.failed('onServerRequest', error)
          done(error ?? new Error('the handler failed'))
        }
      },
    }
  }

  private receive(message: PassedMessage): void {
    // PERF: nearly all that comes, so it is asked for first.
    if (message.kind === 'response' || message.kind === 'serverRequest') {
      this.sessions.get(message.channel)?.receive(message)
    } else if (message.kind === 'queryResult') this.queries.settle(message)
    else if (message.kind === 'change') this.subscriptions.changed(message)
    else if (message.kind === 'subscriptionEnded') this.subscriptions.ended(message)
    else {
      // Before its session hears of it: what that subscribes to then is sent at once, and once.
      if (message.kind === 'attached') this.subscriptions.attached(message.channel)
      this.sessions.get(message.channel)?.receive(message)
    }
  }

  private armTick(): void {
    // A round may have armed the next one itself, when its news of suspension opened a session.
    this.tickTimer?.cancel()
    this.tickTimer = this.environment.clock.setTimer(
      this.tickMs,
      () => {
        const now = this.environment.clock.nowMs()
        for (const session of [...this.sessions.values()]) session.tick(now)
        if (this.closedBy === '') this.armTick()
      },
      'upkeep',
    )
  }
}

/** What a session of a connection that was closed ends with; any other code is of the session that is lost. */
function dropCode(closedBy: string): 'SESSION_CLOSED' | 'DETACHED' {
  return closedBy === 'DETACHED' ? closedBy : 'SESSION_CLOSED'
}

const EVENTS = [
  'onReady',
  'onRefused',
  'onSuspended',
  'onResumed',
  'onLost',
  'onHandlerError',
  'onServerRequest',
] as const satisfies readonly (keyof SessionEvents)[]
const WAITS = ['connectTimeoutMs', 'leaderWaitMs', 'backoffMaxMs'] as const

function checkOptions(given: MultiSessionOptions): MultiSessionOptions {
  const options = fieldsOf(given, 'options')
  const waits = WAITS.flatMap((key) => (options[key] === undefined ? [] : [[key, waitMs(options[key], key)] as const]))
  const { onLeader } = given
  if (onLeader !== undefined) callback(onLeader, 'onLeader')
  return {
    environment: checkEnvironment(options['environment'], 'environment'),
    endpoints: checkEndpoints(options['endpoints'], checkNodeName),
    ...Object.fromEntries(waits),
    ...(onLeader === undefined ? {} : { onLeader }),
  }
}

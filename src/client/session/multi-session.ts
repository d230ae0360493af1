import type { GreetingMessage } from '../../protocol/down-message.ts'
import type { UpMessage } from '../../protocol/up-frame.ts'
import { LeaderConnection } from '../connection/leader-connection.ts'
import type { ClientEnvironment, PassedMessage } from '../connection/ports.ts'
import { QueryBoard, type QueryRequest, type RawQueryOutcome } from '../calls/query-board.ts'
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
  private readonly connection: LeaderConnection
  private readonly sessions = new Map<number, SessionCore>()
  private readonly queries: QueryBoard
  private nextChannel = 1
  private currentGreeting: GreetingMessage | null = null
  private tickMs = Number.POSITIVE_INFINITY
  private tickTimer: { cancel(): void } | null = null
  private closed = false

  constructor(options: MultiSessionOptions) {
    this.environment = options.environment
    this.queries = new QueryBoard({
      clock: options.environment.clock,
      canSend: () => this.ready,
      sendMessage: (message) => this.connection.sendMessage(message),
    })
    this.connection = new LeaderConnection({
      ...options,
      silenceLimitMs: () => Math.min(SILENCE_MS_MAX, this.tickMs * SILENCE_TICKS),
      awaitsAnswer: () => this.awaitsAnswer,
      onReady: (greeting) => {
        this.currentGreeting = greeting
        options.onLeader?.(greeting.node)
        for (const session of [...this.sessions.values()]) session.connected(greeting)
        this.queries.connected()
      },
      onDown: () => {
        this.currentGreeting = null
        options.onLeader?.(null)
        for (const session of this.sessions.values()) session.disconnected()
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

  /** Opens a session (or takes one up); `events.onReady` follows. */
  openSession(settings: SessionSettings, events: SessionEvents): SessionCore {
    const channel = this.nextChannel
    this.nextChannel += 1
    const core = new SessionCore(this, channel, settings, events)
    this.sessions.set(channel, core)
    const tickMs = Math.max(TICK_MIN_MS, settings.timeoutMs / TICK_PART)
    if (tickMs < this.tickMs) {
      this.tickMs = tickMs
      this.tickTimer?.cancel()
      this.armTick()
    }
    return core
  }

  /** Runs a query at the leader; `deadlineMs` from now. */
  query(request: QueryRequest, deadlineMs: number, done: (outcome: RawQueryOutcome) => void): void {
    if (this.closed) done({ kind: 'failed', code: 'SESSION_CLOSED' })
    else this.queries.query(request, deadlineMs, done)
  }

  /** Ends the connection; sessions that were not closed stay open at the server until they expire. */
  close(): void {
    if (this.closed) return
    this.closed = true
    this.tickTimer?.cancel()
    for (const session of [...this.sessions.values()]) session.drop()
    this.queries.stop()
    this.connection.close()
  }

  // What its sessions need of it.

  sendMessage(message: UpMessage): void {
    this.connection.sendMessage(message)
  }

  released(channel: number): void {
    this.sessions.delete(channel)
  }

  /** PERF: asked for only when the leader has been silent, every few hundred milliseconds. */
  private get awaitsAnswer(): boolean {
    if (this.queries.size > 0) return true
    for (const session of this.sessions.values()) if (session.awaitsAnswer) return true
    return false
  }

  private receive(message: PassedMessage): void {
    // PERF: nearly all that comes, so it is asked for first.
    if (message.kind === 'response' || message.kind === 'serverRequest') {
      this.sessions.get(message.channel)?.receive(message)
    } else if (message.kind === 'queryResult') this.queries.settle(message)
    else this.sessions.get(message.channel)?.receive(message)
  }

  private armTick(): void {
    this.tickTimer = this.environment.clock.setTimer(
      this.tickMs,
      () => {
        const now = this.environment.clock.nowMs()
        for (const session of [...this.sessions.values()]) session.tick(now)
        if (!this.closed) this.armTick()
      },
      'upkeep',
    )
  }
}

import { assert } from '../../base/assert.ts'
import { ByteWriter } from '../../protocol/bytes.ts'
import type { GreetingMessage } from '../../protocol/down-message.ts'
import { FRAME_BYTES_FULL } from '../../protocol/limits.ts'
import { FRAME_VERSION } from '../../protocol/frame.ts'
import { type UpMessage, writeUp } from '../../protocol/up-frame.ts'
import { LeaderSearch } from './leader-search.ts'
import type { NodeStream } from './node-stream.ts'
import type { ClientEnvironment, PassedMessage } from './ports.ts'
import { SilenceWatch } from './silence-watch.ts'

/** What the connection needs, and who hears of it. */
export interface LeaderConnectionOptions {
  readonly environment: ClientEnvironment
  /** `host:port` of any nodes, at least one. */
  readonly endpoints: readonly string[]
  /** A node that says nothing for so long, while a leader is looked for, is given up. Default 2 s. */
  readonly connectTimeoutMs?: number
  /** While no leader is found, another node is asked as well after each such pause. Default 500 ms. */
  readonly leaderWaitMs?: number
  /** Longest wait between two attempts. Default 1 s. */
  readonly backoffMaxMs?: number
  /** A leader that owes an answer is suspected after so long without a word, ms; asked for each time. */
  silenceLimitMs(): number
  /** Something was asked that only the leader can answer. */
  awaitsAnswer(): boolean
  /** The leader is reached; from now on `sendMessage` goes to it. */
  onReady(greeting: GreetingMessage): void
  /** The leader of the last `onReady` is no longer reached. */
  onDown(): void
  /** Everything else that the node says. */
  onMessage(message: PassedMessage): void
}

const CONNECT_TIMEOUT_MS = 2000
const LEADER_WAIT_MS = 500
const BACKOFF_MAX_MS = 1000
/** Other endpoints that are asked at once when a leader is suspected, or hands over: one of them may be down. */
const SUSPICION_DIALS = 2
/** The channel of no session: a ping there asks the node for a sign of life, and costs no entry (wire.md §3, step 4). */
const PROBE = { kind: 'ping', channel: 0 } as const
/** Limits of silence after which another stream to the same node replaces the one that is silent: at first, and at most. */
const SAME_NODE_LIMITS = 2
const SAME_NODE_LIMITS_MAX = 16
/** A stream that lived this long was no victim of our own impatience. */
const SAME_NODE_FORGIVEN_MS = 60_000

/**
 * One stream to whoever leads, over any number of failures (P-02, P-04; wire.md §8.1): finds the leader, follows it, and
 * puts the messages of one turn into one frame. A leader that falls silent is kept while others are asked, until one of
 * them leads: a slow leader is better than none. One that wakes up later is harmless, for the log's epochs fence it.
 */
export class LeaderConnection {
  private readonly options: LeaderConnectionOptions
  private readonly writer = new ByteWriter()
  private readonly search: LeaderSearch
  private readonly watch: SilenceWatch
  private leader: NodeStream | null = null
  private flushPending = false
  private closed = false
  /** Runs while a leader hands over: that it is heard does not end the search. */
  private handOver: { cancel(): void } | null = null
  private sameNodeLimits = SAME_NODE_LIMITS
  private sameNodeReplacedAt = Number.NEGATIVE_INFINITY

  constructor(options: LeaderConnectionOptions) {
    assert(options.endpoints.length > 0, 'a client needs at least one endpoint')
    this.options = options
    this.search = new LeaderSearch(
      {
        environment: options.environment,
        endpoints: options.endpoints,
        patienceMs: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
        nextAfterMs: options.leaderWaitMs ?? LEADER_WAIT_MS,
        backoffMaxMs: options.backoffMaxMs ?? BACKOFF_MAX_MS,
      },
      {
        onHeard: (stream) => this.heard(stream),
        onMessage: (stream, message) => {
          if (stream === this.leader) options.onMessage(message)
        },
        onLeader: (stream) => this.leaderSays(stream),
        onGone: (stream, failure) => this.leaderGone(stream, failure),
        onFound: (stream) => this.found(stream),
      },
    )
    this.watch = new SilenceWatch({
      clock: options.environment.clock,
      limitMs: () => options.silenceLimitMs(),
      awaitsAnswer: () => options.awaitsAnswer(),
      probe: () => this.sendMessage(PROBE),
      onSilent: () => this.suspect(),
    })
    this.search.begin(1, null)
  }

  get ready(): boolean {
    return this.leader !== null
  }

  /** Why the last connection ended, for messages. */
  get lastFailure(): string {
    return this.search.lastFailure
  }

  /** Appends a message to this turn's frame; dropped while not ready. */
  sendMessage(message: UpMessage): void {
    if (this.leader === null) return
    this.watch.sent()
    const { writer } = this
    if (writer.length === 0) writer.byte(FRAME_VERSION)
    writeUp(writer, message)
    if (writer.length >= FRAME_BYTES_FULL) this.flush()
    if (this.flushPending) return
    this.flushPending = true
    this.options.environment.clock.defer(() => {
      this.flushPending = false
      this.flush()
    })
  }

  /** Sends the frame of this turn now, before the turn ends. */
  flush(): void {
    if (this.writer.length === 0) return
    this.leader?.sendFrame(this.writer.take())
  }

  /** Sends what is gathered and releases the streams; nothing is dialled any more. */
  close(): void {
    if (this.closed) return
    this.flush()
    this.closed = true
    this.endSearch()
    this.leave()?.close()
  }

  private heard(stream: NodeStream): void {
    if (stream !== this.leader) return
    this.watch.heard()
    // It was only slow.
    if (this.search.running && this.handOver === null) this.search.end()
  }

  /** The leader's own word on who leads. */
  private leaderSays(stream: NodeStream): void {
    if (stream !== this.leader) return
    if (stream.leads) return this.lookAround(stream)
    this.leave()
    if (this.closed) stream.close()
    else this.search.beginWith(stream)
  }

  private leaderGone(stream: NodeStream, failure: string): void {
    if (stream !== this.leader) return
    this.leave()
    if (this.closed) return
    const { search } = this
    search.lastFailure = failure
    // Another stream to the same node, which was not needed before (`mayReplaceLeader`).
    if (search.found !== null) this.found(search.found)
    else search.beginAfter(stream.endpoint)
  }

  /**
   * It hands over: whoever is elected is to be connected by then, which would otherwise be dialled only after the election.
   * Where nobody takes over in time the search ends, and it leads on.
   */
  private lookAround({ endpoint }: NodeStream): void {
    const { environment, leaderWaitMs } = this.options
    this.handOver?.cancel()
    this.handOver = environment.clock.setTimer(leaderWaitMs ?? LEADER_WAIT_MS, () => this.endSearch(), 'upkeep')
    if (!this.search.running) this.search.beginBeside(endpoint, SUSPICION_DIALS)
  }

  private endSearch(): void {
    this.handOver?.cancel()
    this.handOver = null
    this.search.end()
  }

  private suspect(): void {
    const { search } = this
    if (!search.running) search.begin(SUSPICION_DIALS, this.leader?.endpoint ?? null)
    if (search.found !== null) this.found(search.found)
  }

  private found(stream: NodeStream): void {
    if (!this.mayReplaceLeader(stream)) return
    if (this.isLeaderItself(stream)) this.growPatience()
    const before = this.leave()
    this.search.take(stream)
    this.endSearch()
    before?.close()
    // By whoever heard that the one before is left.
    if (this.closed) return stream.close()
    const { greeting } = stream
    assert(greeting !== null, 'a node says who leads only after its greeting')
    this.leader = stream
    this.options.onReady(greeting)
  }

  /**
   * Where the suspected leader itself answers on another stream, the first one is dead or only crowded: megabytes that take
   * seconds on a slow link. Replacing a crowded one sends all of it again, and without a growing patience for ever.
   */
  private mayReplaceLeader(stream: NodeStream): boolean {
    if (!this.isLeaderItself(stream)) return true
    return this.watch.silentMs >= this.options.silenceLimitMs() * this.sameNodeLimits
  }

  private isLeaderItself(stream: NodeStream): boolean {
    return this.leader !== null && this.leader.greeting?.node === stream.greeting?.node
  }

  private growPatience(): void {
    const now = this.options.environment.clock.nowMs()
    const forgiven = now - this.sameNodeReplacedAt > SAME_NODE_FORGIVEN_MS
    this.sameNodeLimits = Math.min((forgiven ? SAME_NODE_LIMITS : this.sameNodeLimits) * 2, SAME_NODE_LIMITS_MAX)
    this.sameNodeReplacedAt = now
  }

  /** The leader is no longer reached. Returns its stream. */
  private leave(): NodeStream | null {
    const { leader } = this
    if (leader === null) return null
    this.leader = null
    // Who hands over has stepped down, or is gone: from here on the search goes on until somebody is found.
    this.handOver?.cancel()
    this.handOver = null
    this.watch.stop()
    this.writer.take()
    this.options.onDown()
    return leader
  }
}

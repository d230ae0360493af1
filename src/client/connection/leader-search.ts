import { NodeStream, type NodeStreamListener } from './node-stream.ts'
import type { ClientEnvironment } from './ports.ts'

/** What the search needs, and who hears of it. */
export interface LeaderSearchOptions {
  readonly environment: ClientEnvironment
  /** `host:port` of any nodes, at least one. */
  readonly endpoints: readonly string[]
  /** A node that says nothing for so long is given up, ms. */
  readonly patienceMs: number
  /** While nobody is found, one more node is dialled after each such pause, ms. */
  readonly nextAfterMs: number
  /** Longest wait before a node is dialled in place of one that failed, ms. */
  readonly backoffMaxMs: number
}

/** Hears of the streams; of those in the search nothing of `onGone` and, in place of `onLeader`, who was found. */
export interface LeaderSearchListener extends NodeStreamListener {
  /** A node says that it leads. It stays in the search until `take`. */
  onFound(stream: NodeStream): void
}

const BACKOFF_FIRST_MS = 10
/** Redirects followed at once per pause: nodes may name one another, or a new one each, during an election. */
const REDIRECTS_MAX = 3
/** Other endpoints that are asked at once where the leader is lost: one of them may be down as well. */
const OTHERS_AT_ONCE = 2
/** Nodes that are asked at the same time; beyond it the one that was dialled first is given up. */
const STREAMS_MAX = 8

/**
 * Asks nodes who leads until one says that it does itself (wire.md §8.1). Each that was reached is kept while others are
 * asked: it says at once when somebody is elected, and a node that it names may be frozen, cut off or gone.
 */
export class LeaderSearch {
  /** Why the last stream ended, for messages; also of one that was taken out. */
  lastFailure = ''
  private readonly options: LeaderSearchOptions
  private readonly listener: LeaderSearchListener
  private readonly streamListener: NodeStreamListener
  private readonly streams = new Set<NodeStream>()
  private nextEndpoint = 0
  private backoffMs = BACKOFF_FIRST_MS
  private takenAt = Number.NEGATIVE_INFINITY
  private redirects = 0
  /** Endpoint of a leader that is kept beside the search: whoever names it is not followed. */
  private beside: string | null = null
  private retryTimer: { cancel(): void } | null = null
  private pauseTimer: { cancel(): void } | null = null

  constructor(options: LeaderSearchOptions, listener: LeaderSearchListener) {
    this.options = options
    this.listener = listener
    this.streamListener = {
      onHeard: (stream) => listener.onHeard(stream),
      onMessage: (stream, message) => listener.onMessage(stream, message),
      onLeader: (stream) => (this.streams.has(stream) ? this.follow(stream) : listener.onLeader(stream)),
      onGone: (stream, failure) => this.gone(stream, failure),
    }
  }

  get running(): boolean {
    return this.pauseTimer !== null
  }

  /** Begins with so many endpoints at once; `avoided` (null: none) has its turn only after the first pause. */
  begin(count: number, avoided: string | null): void {
    this.start()
    for (let left = count; left > 0 && this.running; left -= 1) this.dialUnasked(avoided)
  }

  /** Begins with so many others while the leader at that endpoint, which hands over, is kept. */
  beginBeside(leader: string, count: number): void {
    this.beside = leader
    this.begin(count, leader)
  }

  /**
   * Begins after the stream to the leader at `lost` has failed: with others at once, which will say who is elected, or else
   * after a wait that grows from one failure to the next.
   */
  beginAfter(lost: string): void {
    this.start()
    if (!this.dialOthers(lost)) this.retry()
  }

  /** Begins with a node that was reached and names another one as the leader, or nobody: then others are asked as well. */
  beginWith(stream: NodeStream): void {
    this.beside = null
    this.start()
    this.streams.add(stream)
    if (stream.leader === '') this.dialOthers(stream.endpoint)
    this.follow(stream)
  }

  /** A node that says that it leads; null while there is none. */
  get found(): NodeStream | null {
    return [...this.streams].find((stream) => stream.leads) ?? null
  }

  /** Takes a stream out: it is the caller's from now on. */
  take(stream: NodeStream): void {
    this.streams.delete(stream)
    stream.keep()
    this.takenAt = this.options.environment.clock.nowMs()
  }

  /** Gives up all that were asked. */
  end(): void {
    this.retryTimer?.cancel()
    this.retryTimer = null
    this.pauseTimer?.cancel()
    this.pauseTimer = null
    this.redirects = 0
    this.beside = null
    for (const stream of this.streams) stream.close()
    this.streams.clear()
  }

  /**
   * A leader that was there for longer than the longest wait has earned a fresh backoff. To take one is not enough: one that
   * takes sessions and then cuts the stream would be dialled every 10 ms for ever, with an entry in the log for every attach.
   */
  private start(): void {
    const now = this.options.environment.clock.nowMs()
    if (now - this.takenAt > this.options.backoffMaxMs) this.backoffMs = BACKOFF_FIRST_MS
    if (!this.running) this.pause()
  }

  /** Acts on who leads, as a node says. */
  private follow(stream: NodeStream): void {
    stream.waitAWhile()
    if (stream.leads) return this.listener.onFound(stream)
    // Nobody leads yet, as far as it knows: it will say who does, and another one may know earlier.
    if (stream.leaderAddress === '' || stream.leaderAddress === this.beside) return
    if (this.isAsked(stream.leaderAddress)) return
    this.redirects += 1
    if (this.redirects <= REDIRECTS_MAX) this.dial(stream.leaderAddress)
  }

  private gone(stream: NodeStream, failure: string): void {
    if (!this.streams.delete(stream)) return this.listener.onGone(stream, failure)
    this.lastFailure = failure
    this.retry()
  }

  /** Another one after a pause: whom a node names, or else the next endpoint. */
  private retry(): void {
    if (this.retryTimer !== null) return
    const { environment, backoffMaxMs } = this.options
    const delayMs = this.backoffMs * (0.5 + environment.random.float() / 2)
    this.backoffMs = Math.min(this.backoffMs * 2, backoffMaxMs)
    this.retryTimer = environment.clock.setTimer(
      delayMs,
      () => {
        this.retryTimer = null
        if (!this.dialNamed()) this.dialUnasked()
      },
      'upkeep',
    )
  }

  /** Nobody was found in time: one more. Endpoints come first here, so that one wrong word cannot hold the search up. */
  private pause(): void {
    this.redirects = 0
    this.pauseTimer = this.options.environment.clock.setTimer(
      this.options.nextAfterMs,
      () => {
        this.pause()
        if (!this.dialUnasked()) this.dialNamed()
      },
      'upkeep',
    )
  }

  /** Once for each leader that was there for a while: one that is lost again soon is looked for at the pace of failures. */
  private dialOthers(lost: string): boolean {
    if (this.backoffMs > BACKOFF_FIRST_MS) return false
    let dialled = 0
    while (dialled < OTHERS_AT_ONCE && this.dialUnasked(lost)) dialled += 1
    if (dialled > 0) this.backoffMs *= 2
    return dialled > 0
  }

  private dialNamed(): boolean {
    const named = [...this.streams].map(({ leaderAddress }) => leaderAddress)
    const address = named.find((candidate) => candidate !== '' && !this.isAsked(candidate))
    if (address !== undefined) this.dial(address)
    return address !== undefined
  }

  /** The next endpoint that is not being asked; false when all are. */
  private dialUnasked(avoided: string | null = null): boolean {
    const { endpoints } = this.options
    for (let tried = 0; tried < endpoints.length; tried += 1) {
      const endpoint = endpoints[this.nextEndpoint % endpoints.length]
      this.nextEndpoint += 1
      if (endpoint === undefined || endpoint === avoided || this.isAsked(endpoint)) continue
      this.dial(endpoint)
      return true
    }
    return false
  }

  private isAsked(endpoint: string): boolean {
    return [...this.streams].some((stream) => stream.endpoint === endpoint)
  }

  private dial(endpoint: string): void {
    const { environment, patienceMs } = this.options
    const stream = new NodeStream(endpoint, { environment, patienceMs }, this.streamListener)
    for (const oldest of this.streams) {
      if (this.streams.size < STREAMS_MAX) break
      this.streams.delete(oldest)
      oldest.close()
    }
    this.streams.add(stream)
    stream.dial()
  }
}

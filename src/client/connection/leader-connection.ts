import { assert, unreachable } from '../../base/assert.ts'
import { ByteWriter } from '../../protocol/bytes.ts'
import { DownFrameReader } from '../../protocol/down-frame.ts'
import type { DownMessage, GreetingMessage } from '../../protocol/down-message.ts'
import { FRAME_BYTES_FULL } from '../../protocol/limits.ts'
import { FRAME_VERSION } from '../../protocol/frame.ts'
import { type UpMessage, writeUp } from '../../protocol/up-frame.ts'
import type { Channel, ClientEnvironment, PassedMessage } from './ports.ts'

/** What the connection needs, and who hears of it. */
export interface LeaderConnectionOptions {
  readonly environment: ClientEnvironment
  /** `host:port` of any nodes, at least one. */
  readonly endpoints: readonly string[]
  /** A node that has not greeted by then is given up. Default 2 s. */
  readonly connectTimeoutMs?: number
  /** A node that knows no leader is asked for this long before the next one. Default 500 ms. */
  readonly leaderWaitMs?: number
  /** Longest wait between two attempts. Default 1 s. */
  readonly backoffMaxMs?: number
  /** The leader is reached; from now on `sendMessage` goes to it. */
  onReady(greeting: GreetingMessage): void
  /** The leader of the last `onReady` is no longer reached. */
  onDown(): void
  /** Everything else that the node says. */
  onMessage(message: PassedMessage): void
}

const CONNECT_TIMEOUT_MS = 2000
const LEADER_WAIT_MS = 500
const BACKOFF_FIRST_MS = 10
const BACKOFF_MAX_MS = 1000
/** Redirects in a row before the library slows down: two nodes may name each other during an election. */
const REDIRECTS_MAX = 3

/**
 * One stream to whoever leads, over any number of failures (P-02, P-04; wire.md §8.1): finds the leader, follows it, and
 * puts the messages of one turn into one frame.
 */
export class LeaderConnection {
  private readonly options: LeaderConnectionOptions
  private readonly writer = new ByteWriter()
  private channel: Channel | null = null
  private greeting: GreetingMessage | null = null
  private isReady = false
  private timer: { cancel(): void } | null = null
  private nextEndpoint = 0
  private backoffMs = BACKOFF_FIRST_MS
  private redirects = 0
  private flushPending = false
  private closed = false
  /** Why the last connection ended, for messages. */
  lastFailure = ''

  constructor(options: LeaderConnectionOptions) {
    assert(options.endpoints.length > 0, 'a client needs at least one endpoint')
    this.options = options
    this.dialNext()
  }

  get ready(): boolean {
    return this.isReady
  }

  /** Appends a message to this turn's frame; dropped while not ready. */
  sendMessage(message: UpMessage): void {
    if (!this.isReady) return
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
    const frame = this.writer.take()
    if (this.isReady) this.channel?.sendFrame(frame)
  }

  /** Sends what is gathered and releases the channel; nothing is dialled any more. */
  close(): void {
    this.flush()
    this.closed = true
    this.drop()
  }

  private dialNext(): void {
    const { endpoints } = this.options
    const endpoint = endpoints[this.nextEndpoint % endpoints.length]
    this.nextEndpoint += 1
    if (endpoint !== undefined) this.dial(endpoint)
  }

  private dial(endpoint: string): void {
    this.drop()
    if (this.closed) return
    const { environment, connectTimeoutMs } = this.options
    const reader = new DownFrameReader()
    this.arm(connectTimeoutMs ?? CONNECT_TIMEOUT_MS, () => this.retry('no greeting in time'))
    // A dial may fail before it returns, when there is no channel yet: the failure is then acted on below.
    let failed: string | null = null
    let current: Channel | null = null
    const channel = environment.dial(endpoint, {
      onFrame: (frame) => {
        if (this.channel !== current || current === null) return
        const error = reader.read(frame, (message) => {
          if (this.channel === current) this.receive(message)
        })
        if (error !== null && this.channel === current) this.retry(error)
      },
      onClosed: (code, message) => {
        if (current === null) failed = `${code}: ${message}`
        else if (this.channel === current) this.retry(`${code}: ${message}`)
      },
    })
    current = channel
    this.channel = channel
    if (failed !== null) this.retry(failed)
  }

  private receive(message: DownMessage): void {
    switch (message.kind) {
      case 'response':
      case 'serverRequest':
      case 'queryResult':
      case 'opened':
      case 'attached':
      case 'acknowledged':
      case 'pong':
      case 'closed':
      case 'ended':
      case 'superseded':
      case 'refused':
        return this.options.onMessage(message)
      case 'greeting':
        this.greeting = message
        return this.follow(message.leader, message.leaderAddress)
      case 'leaderChanged':
        return this.follow(message.leader, message.leaderAddress)
      case 'failed':
        return this.retry(`${message.code}: ${message.message}`)
      default:
        return unreachable(message)
    }
  }

  /** Acts on who leads, as the connected node says. */
  private follow(leader: string, address: string): void {
    const { greeting } = this
    if (greeting === null) return
    if (leader === greeting.node) return this.becomeReady(greeting)
    this.becomeDown()
    if (address === '') {
      // Nobody leads yet. This node will say who does; another one may know earlier.
      return this.arm(this.options.leaderWaitMs ?? LEADER_WAIT_MS, () => this.retry('the node knows no leader'))
    }
    this.redirects += 1
    if (this.redirects > REDIRECTS_MAX) return this.retry('too many redirects')
    this.dial(address)
  }

  private becomeReady(greeting: GreetingMessage): void {
    if (this.isReady) return
    this.timer?.cancel()
    this.timer = null
    this.isReady = true
    this.redirects = 0
    this.backoffMs = BACKOFF_FIRST_MS
    this.options.onReady(greeting)
  }

  private becomeDown(): void {
    if (!this.isReady) return
    this.isReady = false
    this.writer.take()
    this.options.onDown()
  }

  /** Gives this connection up and tries the next endpoint after a pause. */
  private retry(failure: string): void {
    this.lastFailure = failure
    this.redirects = 0
    this.drop()
    if (this.closed) return
    const delayMs = this.backoffMs * (0.5 + this.options.environment.random.float() / 2)
    this.backoffMs = Math.min(this.backoffMs * 2, this.options.backoffMaxMs ?? BACKOFF_MAX_MS)
    this.arm(delayMs, () => this.dialNext())
  }

  private arm(delayMs: number, callback: () => void): void {
    this.timer?.cancel()
    this.timer = this.options.environment.clock.setTimer(delayMs, callback)
  }

  private drop(): void {
    this.timer?.cancel()
    this.timer = null
    const { channel } = this
    this.channel = null
    this.greeting = null
    this.becomeDown()
    channel?.close()
  }
}

import type { Random } from '../base/random.ts'
import type { Clock, Timer } from '../node/ports/clock.ts'
import type { ConnectionEnd, DialPeer, PeerConnection } from './peer-connection.ts'

export interface PeerLinkOptions {
  readonly address: string
  readonly clock: Clock
  readonly random: Random
  readonly dial: DialPeer
  /** A dialled peer that has not answered by then is dialled anew. */
  readonly connectTimeoutMs: number
  /** Longest wait between two attempts: one election timeout, so that a peer that is back is heard within one. */
  readonly backoffMaxMs: number
  /** Bytes that may wait for the socket; beyond it droppable messages are dropped. */
  readonly windowBytes: number
  onOpen(address: string): void
  onEnd(end: ConnectionEnd | 'timeout', message: string): void
}

const BACKOFF_FIRST_MS = 10
/**
 * The shortest wait after a dial that was refused, at most, as a part of the longest: 75 ms of 600. No process starts faster,
 * and those that are left hold an election meanwhile. PERF: each refused dial costs a millisecond of the processor at each.
 * The first one behind a reset is not put off: it is evidence anew, where the leader's last words were read after the reset.
 */
const REFUSED_PART = 8
/** Small messages (votes, responses) go on until the queue holds this many windows; then they are dropped too. */
const HARD_WINDOWS = 2

/**
 * The outgoing half of one pair of nodes: dials, watches, dials again, and counts the bytes that the socket has not
 * taken (wire.md §7, steps 3–4). Raft repairs whatever is dropped here, so nothing waits for a connection.
 */
export class PeerLink {
  private readonly options: PeerLinkOptions
  /** The configured address, and behind it the one that the peer says of itself, when that is another one. */
  private addresses: readonly string[]
  /** Which of them is tried next, or was reached. */
  private tried = 0
  private connection: PeerConnection | null = null
  private open = false
  private closed = false
  /** The last connection ended because the peer refuses our frames. */
  private refused = false
  private timer: Timer | null = null
  private backoffMs = BACKOFF_FIRST_MS
  private queued = 0
  /** Frames of kinds up to this number are taken there; 0 before the first connection. */
  kindMax = 0

  constructor(options: PeerLinkOptions) {
    this.options = options
    this.addresses = [options.address]
    this.connect()
  }

  get queuedBytes(): number {
    return this.queued
  }

  /** Where the peer is reached, or is tried next. */
  get address(): string {
    return this.addresses[this.tried] ?? this.options.address
  }

  get connected(): boolean {
    return this.open
  }

  /** An address is a hint and may change; the next connection uses the new one, and a failing one is tried at once. */
  setAddress(address: string): void {
    if (address === this.addresses[0]) return
    this.addresses = [address]
    this.tried = 0
    this.backoffMs = BACKOFF_FIRST_MS
    if (this.open) return
    this.drop()
    this.connect()
  }

  /**
   * The peer says that it is reached there. It may be wrong for this node, which was given another address: while neither
   * takes our frames both are tried in turn.
   */
  hint(address: string): void {
    const [configured = address] = this.addresses
    this.addresses = address === configured ? [configured] : [configured, address]
    this.tried %= this.addresses.length
  }

  /**
   * The peer has dialled this node, so it is there: no use in waiting to dial it. Else a node that starts is answered only
   * when each of the others, which took it for gone, tries again. One that refuses our frames does so whoever speaks.
   */
  heard(): void {
    if (this.connection !== null || this.closed || this.refused) return
    this.timer?.cancel()
    this.connect()
  }

  /** True when the message went to the socket's queue, false when it was dropped. */
  write(message: Buffer, droppable: boolean): boolean {
    const { connection } = this
    if (connection === null || !this.open) return false
    const limit = droppable ? this.options.windowBytes : this.options.windowBytes * HARD_WINDOWS
    // A single message larger than the window may pass when nothing waits: else it could never be sent.
    if (this.queued > 0 && this.queued + message.length > limit) return false
    this.queued += message.length
    connection.write(message, () => {
      if (this.connection === connection) this.queued -= message.length
    })
    return true
  }

  close(): void {
    this.closed = true
    this.drop()
  }

  private connect(): void {
    if (this.closed) return
    const { clock, connectTimeoutMs, dial } = this.options
    this.timer = clock.setTimer(connectTimeoutMs, () => this.lose('timeout', `no answer within ${connectTimeoutMs} ms`))
    let current: PeerConnection | null = null
    const address = this.addresses[this.tried] ?? this.options.address
    const connection = dial(address, {
      onOpen: (kindMax) => {
        if (current !== null && this.connection === current) this.opened(address, kindMax)
      },
      onEnd: (end, message) => {
        if (current !== null && this.connection === current) this.lose(end, message)
      },
    })
    current = connection
    this.connection = connection
  }

  private opened(address: string, kindMax: number): void {
    this.kindMax = kindMax
    this.timer?.cancel()
    this.timer = null
    this.open = true
    this.refused = false
    this.backoffMs = BACKOFF_FIRST_MS
    this.options.onOpen(address)
  }

  private lose(end: ConnectionEnd | 'timeout', message: string): void {
    this.refused = end === 'refused'
    const nobodyListens = !this.open && end === 'gone'
    if (nobodyListens) this.backoffMs = Math.max(this.backoffMs, this.options.backoffMaxMs / REFUSED_PART)
    // Whoever refuses our frames answers, and is not the peer: another process took that address over.
    if (!this.open || end === 'refused') this.tried = (this.tried + 1) % this.addresses.length
    this.drop()
    // A peer that refuses our frames will refuse them again: no use in hurrying.
    if (end === 'refused') this.backoffMs = this.options.backoffMaxMs
    const delayMs = this.backoffMs * (0.5 + this.options.random.float() / 2)
    this.backoffMs = Math.min(this.backoffMs * 2, this.options.backoffMaxMs)
    this.timer = this.options.clock.setTimer(delayMs, () => this.connect())
    this.options.onEnd(end, message)
  }

  /** Forgets connection and timer. */
  private drop(): void {
    this.timer?.cancel()
    this.timer = null
    this.open = false
    this.queued = 0
    const { connection } = this
    this.connection = null
    connection?.close()
  }
}

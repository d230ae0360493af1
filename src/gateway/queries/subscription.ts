import { encodeWalked } from '../../codec/value/encode-walked.ts'
import type { RaftNode } from '../../node/api.ts'
import { SUBSCRIBED_UNSENT_BYTES_MAX } from '../../protocol/limits.ts'
import type { SubscribeMessage } from '../../protocol/up-frame.ts'
import type { RowWatch } from '../../session/rows/row-watches.ts'
import type { QueryRequest } from '../../session/state-machine.ts'
import type { ConnectionSink, SubscriptionEnd } from '../connection-sink.ts'
import type { GatewayOptions } from '../gateway-options.ts'
import { parseRefusal } from '../refusal.ts'

/** Answers up to this length are kept as they are, to tell whether the next one is another; of a longer one its SHA-256. */
const KEPT_BYTES_MAX = 256

/** What a subscription needs of those of its node. */
export interface SubscriptionHost {
  readonly node: RaftNode
  readonly options: GatewayOptions
  /** An entry wrote what its query reads. */
  touched(subscription: Subscription): void
}

/** The connection that it belongs to. */
export interface SubscriptionOwner {
  readonly sink: ConnectionSink
  /** Too much is unsent to tell it anything; it is resumed when that is sent. */
  heldBack(subscription: Subscription): void
  /** It ends by itself. */
  ended(subscription: Subscription): void
}

/** What a session has asked for. */
export interface Subscribed {
  readonly request: SubscribeMessage
  /** The session, by index. */
  readonly session: number
}

/** One query that a session has subscribed to: asked after each entry that wrote what it reads, and told when it is another. */
export class Subscription {
  readonly request: SubscribeMessage
  readonly owner: SubscriptionOwner
  private readonly host: SubscriptionHost
  private readonly session: number
  private readonly watch: RowWatch
  private asked: QueryRequest | null = null
  /** The machine's version that its input was parsed for. */
  private version = -1
  /** What was told last, as `printOf` gives it; null: nothing yet. */
  private told: Uint8Array | null = null
  /** The answer was another one, perhaps, that nobody was told. */
  private skipped = false
  private over = false

  constructor(host: SubscriptionHost, owner: SubscriptionOwner, { request, session }: Subscribed) {
    this.host = host
    this.owner = owner
    this.session = session
    // The input is a view of its frame.
    this.request = { ...request, input: Uint8Array.from(request.input) }
    this.watch = host.node.machine.watch(() => host.touched(this))
  }

  /** Asks, and tells what is another answer than the one before; between two entries. */
  evaluate(): void {
    if (this.over) return
    if (this.owner.sink.unsentBytes > SUBSCRIBED_UNSENT_BYTES_MAX) {
      this.skipped = true
      return this.owner.heldBack(this)
    }
    const { machine } = this.host.node
    const asked = this.parsed()
    if (asked === null) return
    const outcome = machine.query(asked, this.watch)
    if (outcome.kind === 'value') this.tell(encodeWalked(outcome.value), machine.appliedIndex)
    else this.fail({ reason: 'rejected', code: outcome.code, details: outcome.details })
  }

  /** Changes were passed over by the node itself: its state was replaced. */
  skip(): void {
    this.skipped = true
  }

  /** Nobody wants to hear more. */
  end(): void {
    if (this.over) return
    this.over = true
    this.watch.end()
  }

  /** The query as the active version takes it; null: it does not, and the subscription has ended. */
  private parsed(): QueryRequest | null {
    const { machine, query, input } = this.request
    const active = this.host.node.machine.activeVersion(machine)
    if (this.asked !== null && this.version === active) return this.asked
    const parsed = this.host.options.parseQuery(machine, query, input, active)
    if (!parsed.ok) {
      this.fail({ reason: 'refused', ...parseRefusal(parsed) })
      return null
    }
    this.version = active
    this.asked = { machine, query, input: parsed.input, session: this.session }
    return this.asked
  }

  private tell(value: Uint8Array, index: number): void {
    const print = this.printOf(value)
    // What was passed over stays untold, and the next change says so.
    if (this.told !== null && Buffer.compare(this.told, print) === 0) return
    const compacted = this.skipped && this.told !== null
    this.told = print
    this.skipped = false
    this.owner.sink.changed(this.request.subscriptionId, { index, compacted }, value)
  }

  private printOf(value: Uint8Array): Uint8Array {
    return value.length <= KEPT_BYTES_MAX ? Uint8Array.from(value) : this.host.options.codec.sha256(value)
  }

  private fail(end: SubscriptionEnd): void {
    this.owner.ended(this)
    this.owner.sink.subscriptionEnded(this.request.subscriptionId, end)
  }
}

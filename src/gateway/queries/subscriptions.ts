import { errorText } from '../../base/error-text.ts'
import type { RaftNode } from '../../node/api.ts'
import { NODE_SUBSCRIPTIONS_MAX } from '../../protocol/limits.ts'
import type { SubscribeMessage } from '../../protocol/up-frame.ts'
import type { GatewayOptions } from '../gateway-options.ts'
import { Subscription, type SubscriptionHost, type SubscriptionOwner } from './subscription.ts'

/**
 * The subscriptions of a node (docs/decisions/subscriptions.md). Each is asked right after the entry that wrote what it reads,
 * before the next one is applied, so that no value is passed over.
 *
 * PERF: without subscriptions one comparison per entry. With some, an entry that wrote nothing they read costs no more.
 */
export class Subscriptions implements SubscriptionHost {
  readonly node: RaftNode
  readonly options: GatewayOptions
  private readonly all = new Set<Subscription>()
  /** Those that wait until this node has applied their index, and may answer at all. */
  private readonly waiting = new Set<Subscription>()
  /** Those whose rows the entry wrote, in that order. */
  private due: Subscription[] = []
  private readonly max: number

  constructor(node: RaftNode, options: GatewayOptions) {
    this.node = node
    this.options = options
    this.max = options.nodeSubscriptionsMax ?? NODE_SUBSCRIPTIONS_MAX
  }

  /** How many there are. */
  get size(): number {
    return this.all.size
  }

  /** How many there may be, when there are as many; else null. */
  get full(): number | null {
    return this.all.size >= this.max ? this.max : null
  }

  get incarnation(): number {
    return this.node.incarnation
  }

  /** A new one; `begin` follows. */
  open(request: SubscribeMessage, session: number, owner: SubscriptionOwner): Subscription {
    const subscription = new Subscription(this, owner, { request, session })
    this.all.add(subscription)
    this.waiting.add(subscription)
    return subscription
  }

  /** Nobody wants to hear of it any more. */
  close(subscription: Subscription): void {
    this.all.delete(subscription)
    this.waiting.delete(subscription)
    subscription.end()
  }

  /** An entry was applied, the whole of it. */
  applied(): void {
    if (this.due.length > 0) this.run()
    if (this.waiting.size > 0) for (const subscription of this.waiting) this.begin(subscription)
  }

  /** A run of entries was applied, or this node's state is another one. */
  batchApplied(): void {
    if (this.node.machine.underway) return
    // Nobody was told of an entry: the state was replaced.
    for (const subscription of this.due) subscription.skip()
    this.applied()
  }

  /** It was held back, and its connection has sent what waited. */
  resume(subscription: Subscription): void {
    if (!this.all.has(subscription)) return
    this.due.push(subscription)
    if (!this.node.machine.underway) this.run()
  }

  // SubscriptionHost

  touched(subscription: Subscription): void {
    this.due.push(subscription)
  }

  /** Its first value, or the one after a halt, as soon as this node may give it. */
  begin(subscription: Subscription): void {
    const { machine } = this.node
    if (machine.underway || this.silent) return
    if (machine.appliedIndex < subscription.request.minIndex) return
    this.waiting.delete(subscription)
    this.evaluate(subscription)
  }

  private run(): void {
    const { due } = this
    this.due = []
    // Not even to a reader that was slow until the node halted.
    const { silent } = this
    for (const subscription of due) {
      if (!silent) this.evaluate(subscription)
      else if (this.all.has(subscription)) this.waiting.add(subscription)
    }
  }

  /** The node answers nothing. Before its limits, the second entry of every log, a machine cannot. */
  private get silent(): boolean {
    const { node } = this
    return node.replaying || node.halted !== null || node.machine.limits.responseBytesMax === 0
  }

  /** A bug that one client's query found must not end the node's turn: it ends that connection. */
  private evaluate(subscription: Subscription): void {
    try {
      subscription.evaluate()
    } catch (error) {
      subscription.owner.sink.failed('INTERNAL', `a subscription could not be served: ${errorText(error)}`)
    }
  }
}

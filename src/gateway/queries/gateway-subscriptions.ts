import { SUBSCRIPTIONS_MAX } from '../../protocol/limits.ts'
import type { SubscribeMessage } from '../../protocol/up-frame.ts'
import type { ConnectionSink } from '../connection-sink.ts'
import { haltedRefusal, type Refusal, refusal } from '../refusal.ts'
import type { Subscription, SubscriptionOwner } from './subscription.ts'
import type { Subscriptions } from './subscriptions.ts'

/** The subscriptions of one connection. */
export class GatewaySubscriptions implements SubscriptionOwner {
  readonly sink: ConnectionSink
  private readonly node: Subscriptions
  private readonly byId = new Map<number, Subscription>()
  /** Those that were told nothing, for too much was unsent. */
  private held = new Set<Subscription>()

  constructor(node: Subscriptions, sink: ConnectionSink) {
    this.node = node
    this.sink = sink
  }

  /** `session`: who asks, by index; null: it is not attached here. */
  receiveSubscribe(request: SubscribeMessage, session: number | null): void {
    const { node, incarnation: current } = this.node
    const { subscriptionId, incarnation } = request
    this.receiveUnsubscribe(subscriptionId)
    if (session === null) return this.refuse(subscriptionId, refusal('NOT_ATTACHED'))
    const halted = haltedRefusal(node)
    if (halted !== null) return this.refuse(subscriptionId, halted)
    if (incarnation !== 0 && incarnation !== current)
      return this.refuse(subscriptionId, refusal('CLUSTER_CHANGED', { incarnation: current }))
    const max = this.node.options.subscriptionsMax ?? SUBSCRIPTIONS_MAX
    const full = this.byId.size >= max ? max : this.node.full
    if (full !== null) return this.refuse(subscriptionId, refusal('OVERLOADED', { max: full }))
    const subscription = this.node.open(request, session, this)
    this.byId.set(subscriptionId, subscription)
    this.node.begin(subscription)
  }

  receiveUnsubscribe(subscriptionId: number): void {
    const subscription = this.byId.get(subscriptionId)
    if (subscription === undefined) return
    this.byId.delete(subscriptionId)
    this.held.delete(subscription)
    this.node.close(subscription)
  }

  /** The session is not attached on that channel any more: it subscribes again where it is. */
  detached(channel: number): void {
    if (this.byId.size === 0) return
    for (const [id, { request }] of [...this.byId]) if (request.channel === channel) this.receiveUnsubscribe(id)
  }

  /** Less is unsent than before. */
  drained(): void {
    if (this.held.size === 0) return
    const { held } = this
    this.held = new Set()
    for (const subscription of held) this.node.resume(subscription)
  }

  /** The connection is gone. */
  end(): void {
    for (const id of [...this.byId.keys()]) this.receiveUnsubscribe(id)
  }

  // SubscriptionOwner

  heldBack(subscription: Subscription): void {
    this.held.add(subscription)
  }

  ended(subscription: Subscription): void {
    this.receiveUnsubscribe(subscription.request.subscriptionId)
  }

  private refuse(subscriptionId: number, bad: Refusal): void {
    this.sink.subscriptionEnded(subscriptionId, { reason: 'refused', ...bad })
  }
}

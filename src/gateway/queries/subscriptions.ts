import { errorText } from '../../base/error-text.ts'
import type { RaftNode } from '../../node/api.ts'
import { NODE_SUBSCRIPTIONS_MAX } from '../../protocol/limits.ts'
import type { SubscribeMessage } from '../../protocol/up-frame.ts'
import type { GatewayOptions } from '../gateway-options.ts'
import { SharedQuery, type SharedQueryHost, sharedKey } from './shared-query.ts'
import { Subscription, type SubscriptionOwner } from './subscription.ts'

/**
 * The subscriptions of a node (docs/decisions/subscriptions.md). Each query is asked right after the entry that wrote what it
 * reads, before the next one is applied, so that no value is passed over; equal ones are asked once.
 *
 * PERF: without subscriptions one comparison per entry. With some, an entry that wrote nothing they read costs no more.
 */
export class Subscriptions implements SharedQueryHost {
  readonly node: RaftNode
  readonly options: GatewayOptions
  /** Each with the query that asks for it; null: it waits. */
  private readonly all = new Map<Subscription, SharedQuery | null>()
  /** Those that wait until this node has applied their index, and may answer at all. */
  private readonly waiting = new Set<Subscription>()
  /** Queries that do not depend on who asks, by `sharedKey`. */
  private readonly shared = new Map<string, SharedQuery>()
  /** Those whose rows the entry wrote, in that order. */
  private due: SharedQuery[] = []
  /** Those that were held back and may be told something again. */
  private resumed: Subscription[] = []
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
    const subscription = new Subscription(owner, { request, session })
    this.all.set(subscription, null)
    this.waiting.add(subscription)
    return subscription
  }

  /** Nobody wants to hear of it any more. */
  close(subscription: Subscription): void {
    this.leave(subscription)
    this.all.delete(subscription)
    this.waiting.delete(subscription)
  }

  /** Its query is asked for it no more. */
  private leave(subscription: Subscription): void {
    const query = this.all.get(subscription)
    if (query === undefined || query === null || !query.remove(subscription)) return
    const key = this.keyOf(subscription)
    if (this.shared.get(key) === query) this.shared.delete(key)
  }

  /** An entry was applied, the whole of it. */
  applied(): void {
    if (this.due.length > 0 || this.resumed.length > 0) this.run()
    if (this.waiting.size > 0) for (const subscription of this.waiting) this.begin(subscription)
  }

  /** A run of entries was applied, or this node's state is another one. */
  batchApplied(): void {
    if (this.node.machine.underway) return
    // Nobody was told of an entry: the state was replaced.
    for (const query of this.due) query.skip()
    this.applied()
  }

  /** It was held back, and its connection has sent what waited. */
  resume(subscription: Subscription): void {
    if (!this.all.has(subscription)) return
    this.resumed.push(subscription)
    if (!this.node.machine.underway) this.run()
  }

  // SharedQueryHost

  touched(query: SharedQuery): void {
    this.due.push(query)
  }

  personal(query: SharedQuery): void {
    const members = [...query.members]
    for (const subscription of members) {
      this.close(subscription)
      this.ask(subscription)
    }
  }

  /** Its first value, or the one after a halt, as soon as this node may give it. */
  begin(subscription: Subscription): void {
    const { machine } = this.node
    if (machine.underway || this.silent) return
    if (machine.appliedIndex < subscription.request.minIndex) return
    this.waiting.delete(subscription)
    const query = this.ask(subscription)
    // It has ended, or depends on who asks.
    if (query === null || query.isPersonal) return
    const key = this.keyOf(subscription)
    const known = this.shared.get(key)
    if (known === undefined) return void this.shared.set(key, query)
    if (known.isStale || known.isPersonal) return
    query.remove(subscription)
    known.members.add(subscription)
    this.all.set(subscription, known)
  }

  /** Asks for one alone, and goes on so; null: it has ended. */
  private ask(subscription: Subscription): SharedQuery | null {
    const query = new SharedQuery(this, subscription)
    this.all.set(subscription, query)
    this.attempt([subscription], () => query.evaluate())
    return this.all.get(subscription) === query ? query : null
  }

  private run(): void {
    const { due, resumed } = this
    this.due = []
    this.resumed = []
    if (this.silent) {
      // Not even to a reader that was slow until the node halted.
      for (const subscription of [...due.flatMap(({ members }) => [...members]), ...resumed]) this.later(subscription)
      return
    }
    for (const query of due) this.attempt(query.members, () => query.evaluate())
    for (const subscription of resumed) {
      const query = this.all.get(subscription)
      if (query !== undefined && query !== null) this.attempt([subscription], () => query.evaluateFor(subscription))
    }
  }

  /** It waits until this node answers again, and what it is not told meanwhile counts as left out. */
  private later(subscription: Subscription): void {
    if (!this.all.has(subscription)) return
    this.leave(subscription)
    subscription.skip()
    this.all.set(subscription, null)
    this.waiting.add(subscription)
  }

  /** The node answers nothing. Before its limits, the second entry of every log, a machine cannot. */
  private get silent(): boolean {
    const { node } = this
    return node.replaying || node.halted !== null || node.machine.limits.responseBytesMax === 0
  }

  /** A bug that a client's query found must not end the node's turn: it ends the connections that ask it. */
  private attempt(members: Iterable<Subscription>, evaluate: () => void): void {
    try {
      evaluate()
    } catch (error) {
      const text = `a subscription could not be served: ${errorText(error)}`
      for (const { owner } of [...members]) owner.sink.failed('INTERNAL', text)
    }
  }

  private keyOf(subscription: Subscription): string {
    return sharedKey(subscription, (bytes) => this.options.codec.sha256(bytes))
  }
}

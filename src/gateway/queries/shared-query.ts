import { encodeWalked } from '../../codec/value/encode-walked.ts'
import type { RaftNode } from '../../node/api.ts'
import type { RowWatch } from '../../session/rows/row-watches.ts'
import type { QueryRequest } from '../../session/state-machine.ts'
import type { GatewayOptions } from '../gateway-options.ts'
import { parseRefusal } from '../refusal.ts'
import type { Answer, Subscription } from './subscription.ts'

/** Answers up to this length are kept as they are, to tell whether the next one is another; of a longer one its SHA-256. */
const KEPT_BYTES_MAX = 256

/** What a shared query needs of the subscriptions of its node. */
export interface SharedQueryHost {
  readonly node: RaftNode
  readonly options: GatewayOptions
  /** An entry wrote what the query reads. */
  touched(query: SharedQuery): void
  /** It was found to depend on who asks: each of its subscriptions gets one of its own, and is asked by that. */
  personal(query: SharedQuery): void
}

/**
 * A query that subscriptions have asked for, of one machine with one input: it runs once for all of them, and they are told
 * alike. One whose answer depends on the session that asks has the subscriptions of one session only.
 */
export class SharedQuery {
  readonly members = new Set<Subscription>()
  private readonly host: SharedQueryHost
  private readonly watch: RowWatch
  private asked: QueryRequest | null = null
  /** The machine's version that its input was parsed for. */
  private version = -1
  /** The last answer's print, the same object while the answer is the same. */
  private print: Uint8Array | null = null

  constructor(host: SharedQueryHost, first: Subscription) {
    this.host = host
    this.watch = host.node.machine.watch(() => host.touched(this))
    this.members.add(first)
  }

  /** Its last run has read who asks. */
  get isPersonal(): boolean {
    return this.watch.session
  }

  /** What it reads was written since it ran, because none of its subscriptions could be told anything; it hears no more. */
  get isStale(): boolean {
    return this.watch.touched
  }

  /** Asks, and tells each subscription what is another answer than the one before; between two entries. */
  evaluate(): void {
    const asking = this.listening()
    if (asking === null) return
    const answer = this.answerFor(asking)
    if (this.isPersonal && this.members.size > 1) return this.host.personal(this)
    // Each time anew: one connection may have many of them.
    for (const member of this.members) if (!member.holdsBack()) member.tell(answer)
  }

  /** Asks for one of them alone, which the others may have heard of already. */
  evaluateFor(member: Subscription): void {
    if (member.holdsBack()) return
    const answer = this.answerFor(member)
    if (this.isPersonal && this.members.size > 1) this.host.personal(this)
    else member.tell(answer)
  }

  /** Changes were passed over by the node itself: its state was replaced. */
  skip(): void {
    for (const member of this.members) member.skip()
  }

  /** One of them is wanted no more; true: it was the last one. */
  remove(member: Subscription): boolean {
    this.members.delete(member)
    if (this.members.size > 0) return false
    this.watch.end()
    return true
  }

  /** The first one that can be told something; null: too much is unsent to each of them, and nobody need be asked. */
  private listening(): Subscription | null {
    for (const member of this.members) if (!member.holdsBack()) return member
    return null
  }

  private answerFor(member: Subscription): Answer {
    const { machine } = this.host.node
    const asked = this.parsed(member)
    if ('end' in asked) return asked
    const outcome = machine.query(asked, this.watch)
    if (outcome.kind !== 'value') return { end: { reason: 'rejected', code: outcome.code, details: outcome.details } }
    const value = encodeWalked(outcome.value)
    const print = this.printOf(value)
    if (this.print === null || Buffer.compare(this.print, print) !== 0) this.print = print
    return { value, print: this.print, index: machine.appliedIndex }
  }

  /** The query as the active version takes it, asked by that session; or the end of every subscription to it. */
  private parsed({ request, session }: Subscription): QueryRequest | Extract<Answer, { readonly end: unknown }> {
    const { machine, query, input } = request
    const active = this.host.node.machine.activeVersion(machine)
    if (this.asked?.session === session && this.version === active) return this.asked
    const parsed = this.host.options.parseQuery(machine, query, input, active)
    if (!parsed.ok) return { end: { reason: 'refused', ...parseRefusal(parsed) } }
    this.version = active
    this.asked = { machine, query, input: parsed.input, session }
    return this.asked
  }

  private printOf(value: Uint8Array): Uint8Array {
    return value.length <= KEPT_BYTES_MAX ? Uint8Array.from(value) : this.host.options.codec.sha256(value)
  }
}

/** Equal for subscriptions that may share a query: machine, query and the bytes of the input. */
export function sharedKey({ request }: Subscription, sha256: (bytes: Uint8Array) => Uint8Array): string {
  const { machine, query, input } = request
  const bytes = input.length <= KEPT_BYTES_MAX ? input : sha256(input)
  return `${machine.length} ${machine} ${query.length} ${query} ${input.length} ${Buffer.from(bytes).toString('latin1')}`
}

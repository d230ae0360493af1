import type { NodeId } from '../../base/brand.ts'

/** What a peer said of itself: the random id of its data directory, and whether it holds a Configuration. */
interface Greeting {
  readonly instance: string
  readonly hasConfiguration: boolean
}

/** Disks of one voter that are told apart; who sends more under one name is not believed. */
const INSTANCES_MAX = 16

/**
 * The handshake before a cluster's first election (raft.md §1, Bootstrap). A node without a Configuration does not
 * campaign until every initial voter has told this very instance its own instance id and that it has none either: else
 * two replaced disks could write a second history beside the one that the third node still holds.
 */
export class Bootstrap {
  private readonly self: { readonly id: NodeId; readonly instance: string }
  private readonly voters: readonly NodeId[]
  private readonly greetings = new Map<NodeId, Greeting>()
  /** Per voter the instances heard of, the newest last. */
  private readonly heard = new Map<NodeId, readonly string[]>()
  private agreed = false

  constructor(self: { id: NodeId; instance: string }, voters: readonly NodeId[]) {
    this.self = self
    this.voters = voters
  }

  /**
   * A disk of that voter was heard. False: it was replaced by one that was heard since, or it is one of too many, so it is told
   * nothing and counts for nothing.
   *
   * A disk that is told of this one may complete its handshake by that. So this node must not complete its own with the disk
   * which that one replaced, from an older greeting or a late one: it would refuse the other for as long as it lives, and with
   * votes of two replaced disks of five both could lead in one term.
   *
   * A first word of the replaced disk that comes after the new one's turns the order round, and the live disk is ignored until
   * this process ends. To go back to it needs proof that it spoke later than the other: an answer to a question asked since.
   * A hello names no question, and one that is late or doubled would pass for it; so a restart is the cure (`diskIgnored`).
   */
  hear(peer: NodeId, instance: string): boolean {
    if (this.agreed) return true
    const heard = this.heard.get(peer) ?? []
    if (heard.includes(instance)) return heard.at(-1) === instance
    if (heard.length === INSTANCES_MAX) return false
    this.heard.set(peer, [...heard, instance])
    this.greetings.delete(peer)
    return true
  }

  /** A hello to this very instance from a disk that `hear` took. Without effect once the handshake has agreed. */
  receive(peer: NodeId, greeting: Greeting): void {
    if (!this.agreed) this.greetings.set(peer, greeting)
  }

  instanceOf(id: NodeId): string | null {
    if (id === this.self.id) return this.self.instance
    return this.greetings.get(id)?.instance ?? null
  }

  /** Initial voters that were not heard yet. */
  awaited(): readonly NodeId[] {
    return this.voters.filter((id) => this.instanceOf(id) === null)
  }

  /**
   * The instance that a voter has for as long as this process lives, null before the handshake has agreed. Votes are
   * counted by node id, so the first Configuration binds the very disks that were asked for them. A disk that replaces one
   * of them hears nothing from here, so it cannot complete its own handshake. Without this:
   *
   * 1. n2 grants n1 its vote in term 1; the answer is long under way, and n2's disk is replaced.
   * 2. The new n2 greets n1 and n3, which have no Configuration yet, and votes for n3 in term 1: n3 leads.
   * 3. The answer of the old n2 reaches n1: n1 leads in term 1 as well.
   */
  agreedInstanceOf(id: NodeId): string | null {
    return this.agreed ? this.instanceOf(id) : null
  }

  /** True once every initial voter is known and none has a Configuration: the first election may begin. */
  agree(): boolean {
    this.agreed ||= this.voters.every((id) => id === this.self.id || this.greetings.get(id)?.hasConfiguration === false)
    return this.agreed
  }
}

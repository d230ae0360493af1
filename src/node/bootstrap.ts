import type { NodeId } from '../base/brand.ts'

/** What a peer said of itself: the random id of its data directory, and whether it holds a Configuration. */
interface Greeting {
  readonly instance: string
  readonly hasConfiguration: boolean
}

/**
 * The handshake before a cluster's first election (raft.md §1, Bootstrap). A node without a Configuration neither
 * campaigns nor grants until every initial voter has told this process its instance id and that it has none either:
 * else two replaced disks could write a second history beside the one that the third node still holds.
 */
export class Bootstrap {
  private readonly self: { readonly id: NodeId; readonly instance: string }
  private readonly voters: readonly NodeId[]
  private readonly greetings = new Map<NodeId, Greeting>()

  constructor(self: { id: NodeId; instance: string }, voters: readonly NodeId[]) {
    this.self = self
    this.voters = voters
  }

  /** A peer's hello, in this process's lifetime. */
  receive(peer: NodeId, greeting: Greeting): void {
    this.greetings.set(peer, greeting)
  }

  instanceOf(id: NodeId): string | null {
    if (id === this.self.id) return this.self.instance
    return this.greetings.get(id)?.instance ?? null
  }

  /** The peer said in this process's lifetime that it holds a Configuration. */
  hasConfiguration(peer: NodeId): boolean {
    return this.greetings.get(peer)?.hasConfiguration === true
  }

  /** Every initial voter has told its instance id. */
  knowsAll(): boolean {
    return this.voters.every((id) => this.instanceOf(id) !== null)
  }

  /** Every initial voter is known and none has a Configuration: the first election may begin. */
  complete(): boolean {
    return this.voters.every((id) => id === this.self.id || this.greetings.get(id)?.hasConfiguration === false)
  }
}

import { assert } from '../../src/base/assert.ts'
import type { NodeId } from '../../src/base/brand.ts'
import { configurationOf, type Effect, type RaftState } from '../../src/raft/index.ts'
import { hasQuorum } from '../../src/raft/quorum.ts'
import type { Cluster } from './cluster.ts'
import type { Entry, TestNode } from './test-node.ts'

/** The properties of the paper's Figure 3, over the whole history of a test cluster (raft.md §6). */
export class Safety {
  private readonly leaders = new Map<number, NodeId>()
  private readonly committed: { readonly entry: Entry; readonly term: number }[] = []
  /** Of each read what had been committed anywhere before it arrived. */
  private readonly floors = new Map<number, number>()
  private readonly byPosition = new Map<string, { payload: string; previousTerm: number }>()

  /** Entries that any node ever applied, in order. */
  get committedCount(): number {
    return this.committed.length
  }

  /** Their payloads. */
  get committedPayloads(): readonly string[] {
    return this.committed.map(({ entry }) => entry.payload)
  }

  /** What was committed above `kept` is on no disk any more, so nobody can have it again. */
  lose(kept: number): void {
    this.committed.length = Math.min(this.committed.length, kept)
  }

  /** How many reads have had their answer. */
  readsAnswered = 0

  readArrives(id: number): void {
    this.floors.set(id, this.committedCount)
  }

  /** Linearizability: who reads sees everything that any node may have told anybody before it asked (raft.md §2.9). */
  readIsReady({ state }: TestNode, { id, index, limboFrom }: Extract<Effect, { kind: 'readReady' }>): void {
    this.readsAnswered += 1
    const floor = this.floors.get(id) ?? Number.POSITIVE_INFINITY
    assert(index >= floor, 'a read sees all that was committed before it arrived', { id, index, floor })
    const known = limboFrom === null ? index : limboFrom - 1
    // A follower waits for limbo as for all else.
    const waits = known > this.committedCount && state.role.kind === 'leader'
    assert(!waits, 'a read waits for nothing that is not committed, but limbo', { id, known })
  }

  /** After a step of `node`; the log is looked at where it changed, the leader's completeness where one was elected. */
  check(cluster: Cluster, node: TestNode, before: RaftState): void {
    const { state } = node
    this.checkElectionSafety(node)
    if (state.trail !== before.trail) this.checkLogMatching(node)
    this.checkConfiguration(cluster, node)
    if (state.role.kind === 'leader' && before.role.kind !== 'leader') this.checkLeaderCompleteness(node)
  }

  /** State Machine Safety, and that what is committed is durable on a majority (raft.md §2.2). */
  apply(cluster: Cluster, node: TestNode, upTo: number): void {
    for (let index = node.applied + 1; index <= upTo; index += 1) {
      const entry = node.log[index - 1]
      assert(entry !== undefined, 'an applied entry is in the log', { node: node.id, index })
      const first = this.committed[index - 1]?.entry
      if (first === undefined) {
        assert(this.committed.length === index - 1, 'entries are committed in order', { index })
        this.committed.push({ entry, term: node.state.currentTerm })
        const holders = [...cluster.nodes.values()].filter(
          ({ image }) => image.owes !== null || image.log[index - 1]?.payload === entry.payload,
        )
        // A disk that lost it since it acknowledged it elects nobody who lacks it (src/raft/obligation.ts).
        // Whoever applies it first may know another configuration than the leader that committed it.
        const known = [...cluster.nodes.values()].map(({ state }) => configurationOf(state))
        const held = known.some((configuration) =>
          hasQuorum(configuration, (id) => holders.some((holder) => holder.id === id)),
        )
        assert(held, 'a committed entry is on the disks of a quorum', { index, holders: holders.length })
      } else
        assert(first.payload === entry.payload, 'all nodes apply the same entry at an index', { index, first, entry })
    }
    node.applied = Math.max(node.applied, upTo)
  }

  private checkElectionSafety({ id, state }: TestNode): void {
    if (state.role.kind !== 'leader') return
    const first = this.leaders.get(state.currentTerm) ?? id
    assert(first === id, 'at most one leader is elected in a term', { term: state.currentTerm, first, id })
    this.leaders.set(state.currentTerm, id)
  }

  private checkLogMatching({ id, log, state }: TestNode): void {
    assert(log.length === state.lastIndex, 'the driver’s log is as long as the core’s', { id, log: log.length })
    log.forEach((entry, at) => {
      const previousTerm = log[at - 1]?.term ?? 0
      const position = `${at + 1}@${entry.term}`
      const known = this.byPosition.get(position)
      if (known === undefined) this.byPosition.set(position, { payload: entry.payload, previousTerm })
      else {
        assert(known.payload === entry.payload, 'same index and term: same command', { id, position })
        assert(known.previousTerm === previousTerm, 'same index and term: same prefix', { id, position })
      }
    })
  }

  /** A leader has what was committed in earlier terms; a deposed one that does not know it yet need not have later ones. */
  private checkLeaderCompleteness({ id, log, state }: TestNode): void {
    this.committed.forEach(({ entry, term }, at) => {
      if (term < state.currentTerm)
        assert(log[at]?.payload === entry.payload, 'a leader has every committed entry', { id, index: at + 1 })
    })
  }

  /** The effective configuration equals the one recomputed from the log (raft.md §2.6). */
  private checkConfiguration(cluster: Cluster, { id, log, state }: TestNode): void {
    const inLog = log.findLast((entry) => entry.configuration !== null)?.configuration
    const expected = inLog ?? (state.agreed === null ? null : cluster.configuration)
    assert(configurationOf(state) === expected, 'the configuration is the one of the log', { id })
  }
}

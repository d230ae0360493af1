import { Random } from '../../base/random.ts'
import { configurationOf } from '../../raft/index.ts'
import { Violation } from '../checkers/violation.ts'
import { failureOf } from '../failure-of.ts'
import type { SeedResult } from '../run-seed.ts'
import { CoreCluster, PURPOSE } from './core-cluster.ts'
import { CoreNemesis } from './core-nemesis.ts'
import type { CoreNode } from './core-node.ts'
import { CoreOperators } from './core-operators.ts'
import { type CoreSwarm, drawCoreSwarm } from './core-swarm.ts'

/** Longest election timeout, in microseconds: the unit of what must happen after healing. */
const ELECTION = 600_000
/**
 * Within so many of them somebody leads, something new is committed, everybody knows it, and a read is answered everywhere.
 * Who is behind may have to be sent a long log, entry by entry, over a slow network: that takes longer.
 */
const WITHIN = { leads: 20, commits: 200, agrees: 200, answers: 20 }
/** How often what is wanted is asked for again. */
const AGAIN = 300_000

/**
 * One seed of the core alone: three to seven voters under what the seed draws of faults, and what must hold of them. Equal
 * seeds give equal results. An event is one input that is given to one node's `step`: a message that arrives, a timer, writes
 * that have completed, or what a client or operator asks for; what is lost on the way is none. `acks` are committed entries.
 */
export function runCoreSeed(seed: number, trace?: (line: string) => void): SeedResult {
  const world = new CoreWorld(seed, trace)
  return world.result(failureOf(world, trace))
}

class CoreWorld {
  private readonly seed: number
  private readonly swarm: CoreSwarm
  private readonly cluster: CoreCluster
  private readonly nemesis: CoreNemesis
  private readonly operators: CoreOperators

  constructor(seed: number, trace?: (line: string) => void) {
    this.seed = seed
    this.swarm = drawCoreSwarm(new Random(seed, PURPOSE.swarm))
    this.cluster = new CoreCluster(seed, this.swarm, trace)
    this.nemesis = new CoreNemesis(seed, this.swarm, this.cluster)
    this.operators = new CoreOperators(seed, this.swarm, this.cluster, (leader) => this.nemesis.taken(leader))
  }

  run(): void {
    const { cluster, swarm, nemesis, operators } = this
    const { scheduler, invariants } = cluster
    cluster.say(() => JSON.stringify(swarm))
    for (const node of cluster.nodes) node.start()
    nemesis.start()
    operators.start()
    cluster.runUntil(() => scheduler.now >= swarm.faultMicros)
    operators.stop()
    const running = nemesis.heal()
    const healedAt = scheduler.now
    this.within(WITHIN.leads, 'a healed quorum elects a leader', () => cluster.leader() !== undefined)
    const before = invariants.committed.length
    const commits = (): boolean => invariants.committed.length > before
    // What is proposed to a leader that is deposed at once may be lost; else it is asked for once.
    this.asking(commits, () => {
      const leader = cluster.leader()
      if (leader !== undefined && leader.state.lastIndex === leader.state.commitIndex)
        leader.step({ kind: 'propose', count: 1, bytes: 100 })
    })
    this.within(WITHIN.commits, 'something new is committed after healing', commits)
    const { length } = invariants.committed
    const agree = (): boolean => this.membersOf(running).every(({ state }) => state.commitIndex >= length)
    this.within(WITHIN.agrees, 'all who run commit it after healing', agree)
    const members = this.membersOf(running)
    const asked = new Map(members.map((node) => [node, node.read()]))
    // Of a change that is still joint, those who leave may be gone before they are answered.
    const waiting = (): readonly CoreNode[] =>
      this.membersOf(running).filter((node) => node.readsAnswered < (asked.get(node) ?? 0))
    const answered = (): boolean => waiting().length === 0
    this.asking(answered, () => {
      for (const node of waiting()) node.read()
    })
    this.within(WITHIN.answers, 'every member answers a read after healing', answered)
    cluster.say(() => `healed within ${(scheduler.now - healedAt) / 1000} ms`)
    invariants.checkEnd()
  }

  /** Of those that run the members of the leader's configuration; all of them while nobody leads. */
  private membersOf(running: readonly CoreNode[]): readonly CoreNode[] {
    const leader = this.cluster.leader()
    const configuration = leader === undefined ? null : configurationOf(leader.state)
    if (configuration === null) return running
    const { voters, learners, outgoing } = configuration
    return running.filter(({ id }) => voters.includes(id) || learners.includes(id) || outgoing.includes(id))
  }

  private within(elections: number, what: string, holds: () => boolean): void {
    const { cluster } = this
    const { scheduler, nodes } = cluster
    const end = scheduler.now + elections * ELECTION
    cluster.runUntil(() => scheduler.now > end || holds())
    if (holds()) return
    const states = nodes.map(({ id, up, state: { role, currentTerm, lastIndex, commitIndex } }) =>
      [id, up ? role.kind : 'down', currentTerm, lastIndex, commitIndex].join(' '),
    )
    throw new Violation(`${what} within ${elections} election timeouts`, { states })
  }

  /** Asks again and again, until it holds. */
  private asking(holds: () => boolean, ask: () => void): void {
    if (holds()) return
    ask()
    this.cluster.scheduler.after(AGAIN, () => this.asking(holds, ask))
  }

  result(failure: string | null): SeedResult {
    const { events, scheduler, invariants, snapshots, installs } = this.cluster
    const { committed, elections } = invariants
    return {
      ...{ seed: this.seed, failure, events, simSeconds: scheduler.now / 1_000_000, acks: committed.length },
      ...{ elections, snapshots, installs, hash: this.cluster.hash() },
    }
  }
}

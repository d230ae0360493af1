import type { NodeId } from '../../base/brand.ts'
import type { Random } from '../../base/random.ts'
import type { RaftState } from '../../raft/index.ts'
import type { Scheduler } from '../world/scheduler.ts'
import type { SimulatedNetwork } from '../world/simulated-network.ts'
import type { SimulatedNode } from '../world/simulated-node.ts'

const MILLISECOND = 1000

/**
 * When a leader is struck: once its disk holds what nobody else does; once a minority holds it too; once a majority holds
 * entries of earlier terms that it brought along, and none of its own (paper figure 8).
 */
type Moment = 'alone' | 'minority' | 'inherited'

/** One node's leadership in one term, as the hunter sees it. */
interface Prey {
  readonly term: number
  readonly moment: Moment
  /** Highest index that was committed, as it knew, when it began to lead. */
  readonly committedBefore: number
  /** The moment is drawn anew when it has not come by then. */
  readonly until: number
}

/**
 * Strikes leaders that hold uncommitted entries, at the moment that hurts: cuts one off from all others, or kills it, and
 * lets the one before it back, so that terms are short and logs differ in their last entries. One node at a time is away:
 * the others are a majority, and elect the next prey. Random faults hit these moments once in many thousand seeds.
 */
export class LeaderHunter {
  private readonly random: Random
  private readonly scheduler: Scheduler
  private readonly network: SimulatedNetwork
  private readonly nodes: readonly SimulatedNode[]
  private readonly seen = new Map<SimulatedNode, RaftState>()
  private readonly prey = new Map<SimulatedNode, Prey>()
  private away: SimulatedNode | null = null
  private strikes = 0
  private active = true

  constructor(parts: {
    random: Random
    scheduler: Scheduler
    network: SimulatedNetwork
    nodes: readonly SimulatedNode[]
  }) {
    this.random = parts.random
    this.scheduler = parts.scheduler
    this.network = parts.network
    this.nodes = parts.nodes
  }

  /** Ends the hunt; healing brings back who is away. */
  stop(): void {
    this.active = false
  }

  /** After every event: frames that this event sent are cut off before they arrive. */
  look(): void {
    if (!this.active) return
    for (const node of this.nodes) {
      const raft = node.driver?.raftState
      if (raft === undefined || raft.role.kind !== 'leader' || this.seen.get(node) === raft) continue
      this.seen.set(node, raft)
      if (node !== this.away && isMoment(raft, this.preyOf(node, raft))) this.strike(node)
    }
  }

  private preyOf(node: SimulatedNode, raft: RaftState): Prey {
    const known = this.prey.get(node)
    const { now } = this.scheduler
    if (known !== undefined && known.term === raft.currentTerm && now < known.until) return known
    const sameTerm = known !== undefined && known.term === raft.currentTerm
    const committedBefore = sameTerm ? known.committedBefore : raft.commitIndex
    const moment = this.drawMoment(raft, committedBefore)
    const prey = { term: raft.currentTerm, moment, committedBefore, until: now + 400 * MILLISECOND }
    this.prey.set(node, prey)
    return prey
  }

  private drawMoment(raft: RaftState, committedBefore: number): Moment {
    const first = raft.role.kind === 'leader' ? raft.role.firstOwnIndex : 0
    if (first - 1 > committedBefore && this.random.chance(0.6)) return 'inherited'
    return this.random.pick(['alone', 'alone', 'minority', 'inherited'] as const)
  }

  private strike(node: SimulatedNode): void {
    this.prey.delete(node)
    this.release()
    this.away = node
    this.strikes += 1
    const { strikes } = this
    if (this.random.chance(0.8)) this.setLinks(node.id, false)
    else node.crash(false)
    this.scheduler.after(this.random.between(500, 3000) * MILLISECOND, () => {
      if (this.active && this.strikes === strikes) this.release()
    })
  }

  private release(): void {
    const { away } = this
    this.away = null
    if (away === null) return
    this.setLinks(away.id, true)
    away.start()
  }

  private setLinks(id: NodeId, open: boolean): void {
    for (const { id: other } of this.nodes) {
      if (other === id) continue
      this.network.setLink(id, other, open)
      this.network.setLink(other, id, open)
    }
  }
}

function isMoment(raft: RaftState, prey: Prey): boolean {
  const { role, disk } = raft
  if (role.kind !== 'leader') return false
  const matches = [...role.progress.values()].map((follower) => follower.matchIndex as number).sort((a, b) => b - a)
  const highest = matches[0] ?? 0
  // With the leader itself, so many followers are a majority.
  const needed = Math.floor((matches.length + 1) / 2)
  switch (prey.moment) {
    case 'alone':
      return disk.durableIndex > highest && disk.durableIndex > raft.commitIndex
    case 'minority':
      return highest > raft.commitIndex && (matches[needed - 1] ?? 0) < highest
    case 'inherited': {
      const majority = Math.min(matches[needed - 1] ?? 0, disk.durableIndex)
      return majority > prey.committedBefore && majority < role.firstOwnIndex
    }
  }
}

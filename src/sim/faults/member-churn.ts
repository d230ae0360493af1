import type { Random } from '../../base/random.ts'
import type { MemberChange } from '../../node/membership/plan-change.ts'
import type { Scheduler } from '../world/scheduler.ts'
import type { SimulatedNode } from '../world/simulated-node.ts'

const MILLISECOND = 1000
/** How often a change that is refused for the moment is asked for again. */
const AGAIN = 50 * MILLISECOND

/**
 * Changes the members while faults strike: one after the other loses its disk and is replaced, or is removed, the leader too,
 * and comes back on an empty disk as a learner that is promoted. One member at a time is away, so that a majority of the
 * configuration before is one of the configuration after.
 */
export class MemberChurn {
  private readonly random: Random
  private readonly scheduler: Scheduler
  private readonly nodes: readonly SimulatedNode[]
  private active = true
  private made = 0
  /** The process that was asked for the newest change, until it answers. */
  private asked: SimulatedNode['driver'] = null

  constructor(parts: { random: Random; scheduler: Scheduler; nodes: readonly SimulatedNode[] }) {
    this.random = parts.random
    this.scheduler = parts.scheduler
    this.nodes = parts.nodes
  }

  /** Changes that were made. */
  get changes(): number {
    return this.made
  }

  start(): void {
    this.later(this.random.between(100, 1500) * MILLISECOND, () => this.next())
  }

  /** Whoever is out stays out. */
  stop(): void {
    this.active = false
  }

  /**
   * The nodes whose disk is a voter's by the leader's configuration, once no change is under way or asked for, and nobody is to
   * be promoted; else null.
   */
  settled(): readonly SimulatedNode[] | null {
    // One that leads no more appends nothing of it, and may never hear what came of what it had appended.
    if (this.nodes.some(({ driver }) => driver?.leading === true && driver === this.asked)) return null
    const list = this.leader()?.driver?.membership.list()
    if (list === undefined || list.joint || !list.committed) return null
    if (list.members.some(({ role }) => role === 'promoting' || role === 'leaving')) return null
    const voters = list.members.filter(({ role }) => role === 'voter').map(({ instance }) => instance)
    return this.nodes.filter(({ instance }) => voters.includes(instance))
  }

  private next(): void {
    const settled = this.settled()
    if (settled === null || settled.length < this.nodes.length) return this.later(AGAIN, () => this.next())
    const node = this.random.chance(0.3)
      ? (this.leader() ?? this.random.pick(this.nodes))
      : this.random.pick(this.nodes)
    if (this.random.chance(0.5)) this.replace(node, 'replace')
    else this.ask({ kind: 'remove', id: node.id, learner: false, basedOn: null }, () => this.comeBack(node))
  }

  private comeBack(node: SimulatedNode): void {
    this.later(this.random.between(1, 800) * MILLISECOND, () => {
      const list = this.leader()?.driver?.membership.list()
      // Until its removal is over its disk is a voter's.
      const out = list?.committed === true && !list.joint && !list.members.some(({ id }) => id === node.id)
      if (out) this.replace(node, 'add')
      else this.comeBack(node)
    })
  }

  private replace(node: SimulatedNode, kind: 'replace' | 'add'): void {
    node.replaceDisk()
    node.start()
    this.ask({ kind, id: node.id, learner: false, basedOn: null }, () => {
      this.later(this.random.between(1, 1500) * MILLISECOND, () => this.next())
    })
  }

  /** Asks the leader until somebody appends it; what is unknown shows in the list. */
  private ask(change: MemberChange, then: () => void): void {
    const again = (): void => this.later(AGAIN, () => this.ask(change, then))
    const done = (): void => {
      this.made += 1
      then()
    }
    const leader = this.leader()
    if (leader === null || leader.driver === null) return again()
    const list = leader.driver.membership.list()
    const line = list.members.find(({ id, role }) => id === change.id && role !== 'waiting')
    // A change whose answer was lost.
    if (change.kind === 'remove' && line === undefined && list.index > 0) return done()
    if (change.kind === 'add' && line !== undefined) return done()
    if (change.kind === 'replace' && line?.role === 'promoting') return done()
    const { driver } = leader
    this.asked = driver
    let answered = false
    driver.membership.change(change, (outcome) => {
      if (this.asked === driver) this.asked = null
      if (answered) return
      answered = true
      if (outcome.kind === 'changed') done()
      else again()
    })
    // Its process may die with the answer.
    this.later(40 * AGAIN, () => {
      if (answered) return
      answered = true
      this.ask(change, then)
    })
  }

  private leader(): SimulatedNode | null {
    return this.nodes.find((node) => node.driver?.leading === true) ?? null
  }

  private later(micros: number, run: () => void): void {
    this.scheduler.after(micros, () => {
      if (this.active) run()
    })
  }
}

import { setTimeout as pause } from 'node:timers/promises'
import { leaderOf } from '../../../bench/agreement.ts'
import type { LocalCluster } from '../../../src/cli/cluster/local-cluster.ts'
import type { Answer, Side } from '../../../src/cli/demo/flow.ts'
import { nodeId } from '../../../src/base/brand.ts'

/** When the leader is killed: before a call is sent, while it is under way, or when its answer has come. */
export const MOMENTS = ['before', 'during', 'after'] as const
export type Moment = (typeof MOMENTS)[number]

/** Numbers of calls of a flow, from 0 on, and the moment of each at which the leader is killed. */
export type KillPlan = ReadonlyMap<number, Moment>

/** Nothing depends on it: a call takes some milliseconds, and over the calls the kill falls into all parts of that time. */
const SPREAD_MS = 11

/** Kills the leader with SIGKILL at some of the calls that the sides of a flow make, and starts it again. */
export class LeaderKills {
  /** Leaders that were killed. */
  count = 0
  private readonly cluster: LocalCluster
  private readonly plan: KillPlan
  private calls = 0
  private restarted: Promise<unknown> = Promise.resolve()

  constructor(cluster: LocalCluster, plan: KillPlan) {
    this.cluster = cluster
    this.plan = plan
  }

  /** The side, whose commands and queries are the calls that are counted. */
  around(side: Side): Side {
    return {
      command: (machine, command, input) => this.call(() => side.command(machine, command, input)),
      query: (machine, query, input) => this.call(() => side.query(machine, query, input)),
      next: () => side.next(),
      rest: () => side.rest(),
    }
  }

  /** All nodes run again. */
  async settled(): Promise<void> {
    await this.restarted
    await leaderOf(this.cluster)
  }

  private async call(send: () => Promise<Answer>): Promise<Answer> {
    const number = this.calls
    this.calls += 1
    const moment = this.plan.get(number)
    if (moment === undefined) return send()
    // Two of three live at any time, so that only the clients' patience is put to the test.
    await this.restarted
    const { id } = await leaderOf(this.cluster)
    if (moment === 'before') await this.kill(id)
    const answer = send()
    if (moment === 'during') {
      await pause(number % SPREAD_MS)
      await this.kill(id)
    }
    await answer
    if (moment === 'after') await this.kill(id)
    return answer
  }

  private async kill(id: string): Promise<void> {
    this.count += 1
    await this.cluster.kill(nodeId(id))
    this.restarted = this.cluster.startNode(nodeId(id))
  }
}

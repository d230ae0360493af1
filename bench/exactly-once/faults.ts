import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../../src/base/random.ts'
import { statusOf } from '../agreement.ts'
import type { GatedCluster } from '../gated/gated-cluster.ts'

/** Of the faults, which hit the leader; the others hit any node. */
const LEADER_SHARE = 0.75
const CALM_MS = { min: 300, max: 2_000 } as const
/** How long a node is stopped or cut off: up to several election timeouts, and well below any session's timeout. */
const HELD_MS = { min: 100, max: 3_000 } as const

/** How often each was done. */
export interface FaultCounts {
  kills: number
  pauses: number
  cuts: number
}

/** Kills, stops and cuts off nodes of a cluster, one at a time, so that a majority is always there (faults.md §5). */
export class Faults {
  readonly counts: FaultCounts = { kills: 0, pauses: 0, cuts: 0 }
  private readonly cluster: GatedCluster
  private readonly random: Random

  constructor(cluster: GatedCluster, random: Random) {
    this.cluster = cluster
    this.random = random
  }

  /** Goes on for that long; whole again at the end. */
  async run(durationMs: number, told: (line: string) => void): Promise<void> {
    const end = performance.now() + durationMs
    while (performance.now() < end) {
      await pause(this.random.between(CALM_MS.min, CALM_MS.max))
      const at = await this.target()
      const kind = this.random.pick(['kills', 'pauses', 'cuts'] as const)
      told(`${kind} n${at + 1}`)
      this.counts[kind] += 1
      await this.strike(kind, at)
    }
  }

  private async strike(kind: keyof FaultCounts, at: number): Promise<void> {
    const { cluster, random } = this
    const heldMs = random.between(HELD_MS.min, HELD_MS.max)
    if (kind === 'kills') {
      await cluster.kill(at)
      return cluster.startNode(at)
    }
    if (kind === 'cuts') {
      await cluster.cut(at)
      await pause(heldMs)
      return cluster.heal(at)
    }
    cluster.pause(at)
    await pause(heldMs)
    cluster.resume(at)
  }

  /** The leader, where one is known, most of the time. */
  private async target(): Promise<number> {
    const any = this.random.below(this.cluster.endpoints.length)
    if (!this.random.chance(LEADER_SHARE)) return any
    const known = (await Promise.all(this.cluster.endpoints.map(statusOf))).filter((status) => status !== null)
    const leader = known.filter(({ role }) => role === 'leader').sort((left, right) => right.term - left.term)[0]
    return leader === undefined ? any : this.cluster.placeOf(leader.id)
  }
}

import type { NodeId } from '../../base/brand.ts'
import type { Driver } from '../../node/driver.ts'
import type { Applied } from '../../session/state-machine.ts'
import { Transcript } from '../transcript.ts'
import type { SimulatedCluster } from '../world/simulated-cluster.ts'
import { Violation } from './violation.ts'

/** Holds the replicas of one seed against each other: one state hash for each index, and no node that stops. */
export class ReplicaWatch {
  /** Highest index that a replica has applied. */
  highest = 0
  elections = 0
  private readonly cluster: Pick<SimulatedCluster, 'scheduler' | 'nodes'>
  private readonly transcript: Transcript
  /** State hash at each index, of whoever applied it first. */
  private readonly hashes = new Map<number, string>()

  constructor(cluster: Pick<SimulatedCluster, 'scheduler' | 'nodes'>, trace?: (line: string) => void) {
    this.cluster = cluster
    this.transcript = new Transcript(trace)
  }

  /** To a process of that node. `applied` is told of every entry, `first` where no replica had applied it before. */
  listen(id: NodeId, driver: Driver, applied: (index: number, first: boolean, entry: Applied) => void): void {
    driver.listen({
      applied: (entry) => {
        const first = this.applied(id, entry.index)
        if (first !== null) applied(entry.index, first, entry)
      },
      batchApplied: () => undefined,
      roleChanged: () => {
        this.elections += driver.leading ? 1 : 0
      },
      stopped: (stopped) => {
        throw new Violation('no simulated fault stops a node', { node: id, stopped })
      },
      noted: (event) => {
        const halted = event.kind === 'halted' && event.code !== 'REMOVED'
        const wrong = halted || event.kind === 'stateDiffers'
        if (wrong) throw new Violation('replicas that agree are not told apart', { node: id, event })
      },
    })
  }

  /** Hash of everything that was applied, in order. */
  hash(): string {
    return this.transcript.hash()
  }

  private applied(id: NodeId, index: number): boolean | null {
    const machine = this.cluster.nodes.find((node) => node.id === id)?.machine ?? null
    if (machine === null) return null
    const hash = machine.stateHash()
    const before = this.hashes.get(index)
    if (before !== undefined && before !== hash) {
      throw new Violation('one state for each index', { node: id, index, hash, before })
    }
    this.hashes.set(index, hash)
    if (index <= this.highest) return false
    this.highest = index
    this.transcript.add(this.cluster.scheduler.now, `${index} ${hash}`)
    return true
  }
}

import type { NodeId } from '../base/brand.ts'
import { type DisksOfNodes, Invariants, type Observed } from './checkers/invariants.ts'
import { LimboWatch } from './checkers/limbo-watch.ts'
import { NodeWitness } from './node-witness.ts'
import { Transcript } from './transcript.ts'
import type { SimulatedCluster } from './world/simulated-cluster.ts'
import type { SimulatedNode } from './world/simulated-node.ts'

/** Looks at every node after each event: what has changed is held against the invariants, and stands in the transcript. */
export class ClusterWatch {
  readonly invariants = new Invariants()
  readonly limbo = new LimboWatch()
  readonly witnesses = new Map<NodeId, NodeWitness>()
  readonly transcript: Transcript
  private readonly observed = new Map<SimulatedNode, Observed>()

  constructor(trace?: (line: string) => void) {
    this.transcript = new Transcript(trace)
  }

  /** What stands between the parts of a node of that name. */
  witness(id: NodeId): NodeWitness {
    const witness = new NodeWitness(id, this.invariants, this.limbo)
    this.witnesses.set(id, witness)
    return witness
  }

  /** After every event. PERF: some comparisons per node where nothing has changed. */
  look({ nodes, scheduler }: SimulatedCluster): void {
    for (const node of nodes) {
      const { driver } = node
      const log = this.witnesses.get(node.id)?.log ?? null
      if (driver === null || log === null) {
        this.observed.delete(node)
        continue
      }
      const raft = driver.raftState
      const appliedIndex = node.machine?.appliedIndex ?? 0
      const before = this.observed.get(node)
      const { role } = driver
      const { currentTerm, commitIndex, configurations } = raft
      const told =
        before === undefined ||
        before.log !== log ||
        before.role !== role ||
        before.currentTerm !== currentTerm ||
        before.commitIndex !== commitIndex ||
        before.appliedIndex !== appliedIndex
      if (!told && before.configurations === configurations) continue
      const now: Observed = { id: node.id, role, currentTerm, commitIndex, appliedIndex, configurations, log }
      this.observed.set(node, now)
      if (told) this.transcript.add(scheduler.now, lineOf(now))
      this.invariants.observe(now, this.disks)
    }
  }

  /** Every node's log as last witnessed, the crashed ones' disks too. */
  private readonly disks = (): DisksOfNodes => new Map([...this.witnesses].map(([id, witness]) => [id, witness.logs]))
}

function lineOf({ id, role, currentTerm, commitIndex, appliedIndex }: Observed): string {
  return `${id} ${role} term=${currentTerm} commit=${commitIndex} applied=${appliedIndex}`
}

import { callCluster } from './grpc.ts'

/** One version of a machine in a node's build. */
export interface MachineBuildReport {
  readonly version: number
  /** SHA-256 of what it declares, 64 hex digits; '': it declares nothing. */
  readonly schema: string
  /** SHA-256 of the source text of its handlers: never binding. */
  readonly code: string
  /** What `schema` is the digest of, as JSON; '' when it is too long to be told, or there is none. */
  readonly description: string
}

/** A machine of the log, and what one node has of it. */
export interface MachineReport {
  readonly name: string
  /** The version that runs; 0: none. */
  readonly active: number
  /** Schema that the log named with it; '': none. */
  readonly schema: string
  /** Lowest version first; empty: the node has nothing of it. */
  readonly builds: readonly MachineBuildReport[]
}

/** The machines of one node, as of the entry that it applied last. */
export interface NodeMachinesReport {
  readonly id: string
  readonly appliedIndex: number
  readonly machines: readonly MachineReport[]
}

/** Asks one node for its machines. Rejects as `fetchStatus` does; a node of an earlier build does not answer. */
export async function fetchMachines(endpoint: string, deadlineMs = 2000): Promise<NodeMachinesReport> {
  return (await callCluster(endpoint, { method: 'Machines', request: {} }, deadlineMs)) as NodeMachinesReport
}

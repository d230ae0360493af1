import { type NeededMachine, neededMachines } from '../../assembly/replay/needed-machines.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import { mount, type Mountable } from '../../machine/index.ts'
import type { BuildMachine } from '../../node/ports/peer-transport.ts'
import { withStoppedNode } from './open-stopped.ts'

/** What a stopped node's directory names of machines. */
export interface StoppedMachines {
  readonly needed: readonly NeededMachine[]
  /** The machines of the process that ran there last; empty: it noted none. */
  readonly recordedBy: readonly BuildMachine[]
}

/**
 * Which machines a start on this directory needs, and whether these are them. The directory is only read. Rejects with
 * StartError, as `withStoppedNode` does.
 */
export function checkDirectory(path: string, machines: readonly Mountable[]): Promise<StoppedMachines> {
  return withStoppedNode(path, async (node) => ({
    needed: await neededMachines(node, mount(machines, sessionCodec)),
    recordedBy: node.recordedBy,
  }))
}

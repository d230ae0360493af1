import type { NodeId } from '../../base/brand.ts'
import { isDialled } from './addresses.ts'

/** Nodes that are greeted beside the initial voters: more members than most clusters have, and no flood of strangers. */
const CALLERS_MAX = 16

/**
 * Whoever dials a node without a Configuration that was not started with it: members dial all members, so an empty disk
 * under the id of one hears of the leader, whichever nodes it was started with. Without it, a node of a cluster that has
 * changed all its other members since could not be replaced by `start`: it would greet nodes that are gone.
 */
export class Callers {
  private readonly known = new Set<NodeId>()

  get ids(): Iterable<NodeId> {
    return this.known
  }

  has(id: NodeId): boolean {
    return this.known.has(id)
  }

  /** It says where it is reached. False: nobody could dial that, or there are too many. */
  hear(id: NodeId, address: string): boolean {
    if (!isDialled(address)) return false
    if (!this.known.has(id) && this.known.size >= CALLERS_MAX) return false
    this.known.add(id)
    return true
  }
}

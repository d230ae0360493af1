import type { NodeId } from '../../base/brand.ts'
import type { SkippedPart } from '../../session/skipped-parts.ts'

/** Where a node has stopped: the engine failed there, at that part of that entry. */
export type Stop = SkippedPart

/** In place of a part: the node ran what that entry says is skipped, and needs the snapshot of one that did not. */
export const SKIP_MISSED_STOP = 'skipMissed'

/** Why nothing is skipped. */
export type SkipRefusal = 'NOT_LEADER' | 'NOT_STOPPED' | 'STOPPED_ELSEWHERE' | 'NOT_YET_SUPPORTED' | 'ALREADY_SKIPPED'

export interface VoterStopsPorts {
  readonly self: NodeId
  /** Of the effective configuration. */
  voters(): readonly NodeId[]
  /** This node's link to the member is open. */
  connected(member: NodeId): boolean
  /** Which voters, this node not among them, are known to have stopped: the core hands over to none of them. */
  changed(stopped: readonly NodeId[]): void
}

/**
 * Which members have stopped at a part of an entry, as they say themselves. What one has said counts for as long as the link to
 * its process: another process of it begins anew, and has perhaps got past that entry.
 */
export class VoterStops {
  private readonly ports: VoterStopsPorts
  private readonly stops = new Map<NodeId, Stop>()

  constructor(ports: VoterStopsPorts) {
    this.ports = ports
  }

  /** A member, or this node itself, has stopped there; null: it has not, or its process is another, of which nobody knows. */
  hear(member: NodeId, stop: Stop | null): void {
    const before = this.stops.get(member)
    if (before === undefined ? stop === null : stop?.index === before.index && stop.part === before.part) return
    if (stop === null) this.stops.delete(member)
    else this.stops.set(member, stop)
    this.ports.changed([...this.stops.keys()].filter((id) => id !== this.ports.self))
  }

  /** Somebody has stopped, as far as is known. */
  get some(): boolean {
    return this.stops.size > 0
  }

  /** Of each voter where it has stopped, as far as this node can know now; null: it has not said so. */
  current(): ReadonlyMap<NodeId, Stop | null> {
    const { self, voters, connected } = this.ports
    return new Map(voters().map((id) => [id, id === self || connected(id) ? (this.stops.get(id) ?? null) : null]))
  }

  /** The part at which every voter has stopped, and which can be skipped; null: there is none. */
  common(): Stop | null {
    const [first = null, ...others] = this.current().values()
    if (first?.part === SKIP_MISSED_STOP) return null
    const same = first !== null && others.every((stop) => stop?.index === first.index && stop.part === first.part)
    return same ? first : null
  }

  /** Highest entry up to `applied` at which some voter has stopped; 0: none. A snapshot from there on lets it go on. */
  newestBelow(applied: number): number {
    return Math.max(0, ...[...this.stops.values()].map(({ index }) => (index <= applied ? index : 0)))
  }
}

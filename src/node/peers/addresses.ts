import type { NodeId } from '../../base/brand.ts'
import { parseHostPort } from '../../base/host-port.ts'
import type { Members } from '../membership/members.ts'
import type { DriverOptions } from '../options.ts'

/**
 * Where members are reached, for redirects. An address is a hint: it identifies nobody, and it changes when a node is
 * started elsewhere. So what a node says of itself on its own connections counts first, then what this process was
 * started with, and what the log's Configuration says last, because that is as old as the cluster.
 */
export class Addresses {
  private readonly self: NodeId
  private readonly members: Members
  private readonly started: ReadonlyMap<NodeId, string>
  private readonly told = new Map<NodeId, string>()

  constructor({ identity, initialVoters }: DriverOptions, members: Members) {
    this.self = identity.id
    this.members = members
    this.started = new Map(initialVoters.map(({ id, address }) => [id, address]))
  }

  /** This node's own, as peers are told; "" when nobody has said one. */
  get own(): string {
    return this.of(this.self) ?? ''
  }

  /** Null for somebody of whom nothing is known. */
  of(id: NodeId): string | null {
    return this.told.get(id) ?? this.started.get(id) ?? this.members.member(id)?.address ?? null
  }

  /**
   * What this node, or a member, says of itself; `moved` when it is news. Ignored is what nobody could dial (a cluster of
   * one has port 0), and what a stranger says: there is no end of strangers.
   */
  learn(id: NodeId, address: string): 'ignored' | 'known' | 'moved' {
    if (!this.concerns(id)) return 'ignored'
    if (!isDialled(address)) return 'ignored'
    const known = this.of(id)
    this.told.set(id, address)
    return known === address ? 'known' : 'moved'
  }

  /** This node, an initial voter, or a member by the newest Configuration. */
  concerns(id: NodeId): boolean {
    return id === this.self || this.started.has(id) || this.members.member(id) !== null
  }
}

/** Something that can be dialled: a cluster of one has port 0. */
export function isDialled(address: string): boolean {
  const parted = parseHostPort(address)
  return parted !== null && parted.port !== 0
}

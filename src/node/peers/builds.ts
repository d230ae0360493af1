import { assert } from '../../base/assert.ts'
import type { NodeId } from '../../base/brand.ts'
import { BUILD_VERSIONS_MAX } from '../../codec/entry/names.ts'
import type { Build, PeerTransport } from '../ports/peer-transport.ts'

export interface BuildPorts extends Pick<PeerTransport, 'connected'> {
  modeDiffers(peer: NodeId, development: boolean): void
}

/** What members are built of, this node among them, as they have said. */
export class Builds {
  private readonly own: NodeId
  private readonly ports: BuildPorts
  private readonly development: boolean
  private readonly builds = new Map<NodeId, Build>()
  /** Whose newest process runs its machines in the other mode: it said so before anything else, on the link that it opened. */
  private readonly otherMode = new Set<NodeId>()

  constructor(own: NodeId, build: Build, ports: BuildPorts) {
    const versions = build.machines.reduce((sum, machine) => sum + machine.versions.length, 0)
    assert(versions <= BUILD_VERSIONS_MAX, 'a build has few versions of machines', { versions, BUILD_VERSIONS_MAX })
    this.own = own
    this.ports = ports
    this.development = build.development
    this.builds.set(own, build)
  }

  /** What each has said last, whether it is reached or not: to be shown, not to decide by. */
  get said(): ReadonlyMap<NodeId, Build> {
    return this.builds
  }

  heard(from: NodeId, build: Build): void {
    this.builds.set(from, build)
    if (build.development === this.development) this.otherMode.delete(from)
    else if (!this.otherMode.has(from)) {
      this.otherMode.add(from)
      this.ports.modeDiffers(from, build.development)
    }
  }

  /**
   * Frames of such a node are dropped, as by a broken link, which Raft bears: in development machines reject what they accept
   * otherwise, so the two would make different states of one log (docs/decisions/development-mode.md).
   */
  isOfOtherMode(peer: NodeId): boolean {
    return this.otherMode.has(peer)
  }

  /**
   * A link to the peer has opened: perhaps to another process than the one that spoke, of another build, or of one that says
   * nothing of itself. It is asked (`reply` of the frame), and until it has answered nothing is known of it.
   */
  linkOpened(peer: NodeId): void {
    this.builds.delete(peer)
  }

  /**
   * What these nodes are built of now; null of one that has not said so since this node's link to it opened, or whose link is
   * not open. Looked at for each decision: without it, a version is switched on that a voter which is down had when it was
   * last heard, and it comes back on the build before, and halts. The end of a link removes nothing, for that is told late:
   *
   *   1. n3 restarts, dials n1 at once, and says what it is built of.
   *   2. Only then does n1 see the end of its own link to the old process. What it would remove is what the new one said.
   */
  current(ids: readonly NodeId[]): ReadonlyMap<NodeId, Build | null> {
    return new Map(ids.map((id) => [id, this.isReached(id) ? (this.builds.get(id) ?? null) : null]))
  }

  private isReached(id: NodeId): boolean {
    return id === this.own || this.ports.connected(id)
  }
}

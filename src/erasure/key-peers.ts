import type { NodeId } from '../base/brand.ts'
import type { RaftNode } from '../node/api.ts'
import { decodeAnswer, encodeMessage, type KeyAnswer, type KeyRequest } from './key-messages.ts'
import { text } from './key-files.ts'

/** Asks another node, on the disk of that instance; null: it cannot be reached, or gave no answer in time. */
export type AskPeer = (peer: NodeId, instance: string, request: Uint8Array) => Promise<Uint8Array | null>

/** The other members of the group, and what is known of the keys that they hold. */
export class KeyPeers {
  private readonly node: Pick<RaftNode, 'id' | 'membership'>
  private readonly askPeer: AskPeer | null
  /** Who is known to hold a key durably, and on which disk, by its id. This process has heard it; it is not stored. */
  private readonly holders = new Map<string, Map<NodeId, string>>()

  /** `askPeer`: null for a node that is alone. */
  constructor(node: Pick<RaftNode, 'id' | 'membership'>, askPeer: AskPeer | null) {
    this.node = node
    this.askPeer = askPeer
  }

  /** This node is the only voter, and so holds every key that there is. */
  get alone(): boolean {
    const voters = this.voters()
    return this.askPeer === null || (voters.length === 1 && voters[0]?.id === this.node.id)
  }

  /** The other members that hold keys. */
  others(): readonly NodeId[] {
    const { members } = this.node.membership.list()
    return members.filter(({ id, role }) => id !== this.node.id && role !== 'waiting').map(({ id }) => id)
  }

  /** Those of them that vote, or did until a change that is under way. */
  otherVoters(): readonly NodeId[] {
    const { members } = this.node.membership.list()
    return members
      .filter(({ id, role }) => id !== this.node.id && role !== 'waiting' && role !== 'learner')
      .map(({ id }) => id)
  }

  /** The answer of a member; null: none came. */
  async ask(peer: NodeId, request: KeyRequest): Promise<KeyAnswer | null> {
    if (this.askPeer === null) return null
    const instance = this.instanceOf(peer)
    // A member that has not said which disk is its own may be another one tomorrow.
    if (instance === '') return null
    const answer = await this.askPeer(peer, instance, encodeMessage(request))
    return answer === null ? null : decodeAnswer(answer)
  }

  /** Whether it is a member that asks, from the disk that counts as its own: keys go to nobody else. */
  isMember(peer: NodeId, instance: string): boolean {
    return instance !== '' && this.instanceOf(peer) === instance
  }

  /** That member holds the key durably, on the disk of that instance: another disk of its own does not. */
  holds(peer: NodeId, instance: string, keyId: Uint8Array): void {
    const id = text(keyId)
    const known = this.holders.get(id)
    if (known === undefined) this.holders.set(id, new Map([[peer, instance]]))
    else known.set(peer, instance)
  }

  knownToHold(peer: NodeId, keyId: Uint8Array): boolean {
    const instance = this.holders.get(text(keyId))?.get(peer)
    return instance !== undefined && this.isMember(peer, instance)
  }

  /**
   * Whether a key that this node holds is where it must be before anything sealed under it may be in the log: on more than
   * half of the voters, so that whoever leads next finds it among any majority. While the voters change, on all of them.
   */
  isSafe(keyId: Uint8Array): boolean {
    if (this.askPeer === null) return true
    const voters = this.voters()
    const known = this.holders.get(text(keyId))
    const holding = voters.filter(({ id, instance }) => id === this.node.id || known?.get(id) === instance).length
    return this.node.membership.list().joint ? holding === voters.length : holding * 2 > voters.length
  }

  /** The members, their roles and disks: what was learned by asking all of them holds while it is the same. */
  get constellation(): string {
    const { members } = this.node.membership.list()
    return members.map(({ id, role, instance }) => `${id} ${role} ${instance}`).join('\n')
  }

  /** The key is destroyed. */
  forget(keyId: Uint8Array): void {
    this.holders.delete(text(keyId))
  }

  /** The disk that counts as a member's own; empty: it has not said which. */
  instanceOf(peer: NodeId): string {
    const { members } = this.node.membership.list()
    return members.find(({ id, role }) => id === peer && role !== 'waiting')?.instance ?? ''
  }

  private voters(): readonly { readonly id: NodeId; readonly instance: string }[] {
    const { members } = this.node.membership.list()
    return members.filter(({ role }) => role === 'voter')
  }
}

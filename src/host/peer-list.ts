import { isNodeId, type NodeId, nodeId } from '../base/brand.ts'
import { formatHostPort, type HostPort, parseHostPort } from '../base/host-port.ts'

/** The members of a cluster: `{ n1: '10.0.0.1:4600', … }`, or the same as one text, `n1=10.0.0.1:4600,…`. */
export type PeerList = string | { readonly [id: string]: string }

/** One of them, read. */
export interface Peer {
  readonly id: NodeId
  readonly address: HostPort
}

/** What is wrong with a list, and with which of its members; null: with the list. */
export class PeerListError extends Error {
  override readonly name = 'PeerListError'
  readonly member: string | null

  constructor(member: string | null, problem: string) {
    super(problem)
    this.member = member
  }
}

/** Reads a list in either form: 1 to 64 members, no id and no address twice. Throws PeerListError. */
export function parsePeers(list: unknown): Peer[] {
  const peers = pairsOf(list).map(([id, address]) => parsePeer(id, address))
  if (peers.length < 1 || peers.length > PEERS_MAX) throw new PeerListError(null, `must name 1 to ${PEERS_MAX} members`)
  const ids = new Set(peers.map((peer) => peer.id))
  const addresses = new Set(peers.map((peer) => formatHostPort(peer.address)))
  if (ids.size < peers.length || addresses.size < peers.length) {
    throw new PeerListError(null, 'names a node id or an address twice')
  }
  return peers
}

/** As many as a Configuration entry may hold (`VOTERS_MAX`). */
const PEERS_MAX = 64

function pairsOf(list: unknown): (readonly [id: string, address: unknown])[] {
  if (typeof list === 'string') return list.split(',').map((part) => pairOf(part.trim()))
  if (typeof list !== 'object' || list === null || Array.isArray(list)) {
    throw new PeerListError(null, 'must be { id: "host:port", … } or the text "id=host:port,…"')
  }
  return Object.entries(list)
}

function pairOf(part: string): readonly [string, string] {
  const at = part.indexOf('=')
  if (at === -1) throw new PeerListError(null, `has "${part}", which is not id=host:port`)
  return [part.slice(0, at), part.slice(at + 1)]
}

function parsePeer(id: string, given: unknown): Peer {
  if (!isNodeId(id)) throw new PeerListError(null, `has the node id "${id}"; an id is 1–63 of a-z 0-9 -`)
  const address = typeof given === 'string' ? parseHostPort(given) : null
  if (address === null) {
    const shown = typeof given === 'string' ? `"${given}"` : typeof given
    throw new PeerListError(
      id,
      `is ${shown}, which is not an address; write host:port, as in 127.0.0.1:4600 or [::1]:4600`,
    )
  }
  return { id: nodeId(id), address }
}

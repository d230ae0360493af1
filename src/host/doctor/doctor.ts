import type { HostPort } from '../../base/host-port.ts'
import { holderOf } from '../stopped/directory-files.ts'
import { checkContent, checkMarker } from './check-directory-health.ts'
import { checkDescriptors, checkRoom, checkSyncs } from './check-disk.ts'
import { checkNodes, checkPeer, checkPort } from './check-network.ts'
import type { Finding } from './finding.ts'

/** What is looked at; null, or none: it is not. */
export interface DoctorOptions {
  readonly data: string | null
  /** The node that is meant. */
  readonly id: string | null
  readonly peers: readonly { readonly id: string; readonly address: HostPort }[]
  /** Nodes that run. */
  readonly endpoints: readonly string[]
}

/** Looks at all that a node needs, one check after the other, and changes nothing. */
export async function* examine({ data, id, peers, endpoints }: DoctorOptions): AsyncGenerator<Finding> {
  yield checkDescriptors()
  if (data !== null) {
    yield checkMarker(data, id)
    yield await checkRoom(data)
    yield await checkSyncs(data)
    yield await checkContent(data)
  }
  for (const peer of peers) {
    if (peer.id !== id) yield await checkPeer(peer.id, peer.address)
    // Its own address is taken while it runs.
    else if (data !== null && holderOf(data) === null) yield await checkPort(peer.address)
  }
  yield* await checkNodes(endpoints)
}

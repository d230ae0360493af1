import { createHash } from 'node:crypto'
import { isUnused } from '../assembly/unused-log.ts'
import type { GroupId } from '../base/brand.ts'
import type { SnapshotStore } from '../node/ports/snapshot-store.ts'
import type { NodeLog } from '../server/log/node-log.ts'
import type { DataDirectory } from '../storage/directory/data-directory.ts'
import type { CheckedOptions } from './check-options.ts'
import { opened } from './opened.ts'

/** The same voters give the same id: a new cluster's nodes agree on it without talking. */
export function clusterIdOf(peers: CheckedOptions['peers']): string {
  const voters = peers.map((peer) => `${peer.id}=${peer.address}`).sort()
  return createHash('sha256').update(voters.join(',')).digest('hex').slice(0, 32)
}

/**
 * A cluster's id follows from its first `--peers`. One that was mistyped there gave the directory an id that no other node
 * has: until it has taken part in a cluster, the directory takes the id of the corrected list.
 */
export async function settleClusterId(
  options: CheckedOptions,
  on: { group: GroupId; directory: DataDirectory; snapshots: SnapshotStore; log: NodeLog },
): Promise<void> {
  const { group, directory, snapshots, log } = on
  const given = options.clusterId ?? clusterIdOf(options.peers)
  const { clusterId: known, started } = directory.identity
  if (given === known) return
  const unused = await opened<boolean>((done) => isUnused({ disk: directory.disk, group, snapshots, started }, done))
  if (!unused) return
  await opened<true>((done) => directory.adoptCluster(given, (fault) => done(fault, fault === null ? true : null)))
  log.clusterIdChanged({ known, given })
}

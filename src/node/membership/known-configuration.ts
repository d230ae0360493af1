import { type NodeId, otherDisk } from '../../base/brand.ts'
import type { ConfigurationPayload, Member } from '../../codec/entry/payload.ts'
import { decodePayload } from '../../codec/entry/payload-codec.ts'
import type { Configuration } from '../../raft/types.ts'
import type { KnownConfiguration, RecoveredLog } from '../ports/log-store.ts'
import type { SnapshotMeta } from '../ports/snapshot-store.ts'

/** Who this node is: a Configuration that names its id with another instance means another disk. */
export interface Self {
  readonly id: NodeId
  readonly instance: string
}

/** The Configurations that a node opened with, in order: the log's, and before them the snapshot's where the log lacks it. */
export function knownConfigurations(
  { firstIndex, configurations }: Pick<RecoveredLog, 'firstIndex' | 'configurations'>,
  snapshot: SnapshotMeta | null,
): readonly KnownConfiguration[] {
  if (snapshot === null || snapshot.configuration.index >= firstIndex) return configurations
  return [configurationOfSnapshot(snapshot), ...configurations]
}

/** The Configuration that a snapshot holds. */
export function configurationOfSnapshot({ configuration, configurationPayload }: SnapshotMeta): KnownConfiguration {
  const bytes = Uint8Array.from(Buffer.from(configurationPayload, 'base64'))
  return { index: configuration.index, payload: decodePayload('Configuration', bytes), bytes }
}

/**
 * A Configuration as the core of this node knows it. A member of this node's id with another instance is not this node, which
 * must not vote or campaign for it: it goes by another name here, so that quorums have their size. Without this:
 *
 *   1. n3 loses its disk and is replaced; the new n3 catches up, and its log ends where the old n3 was a voter.
 *   2. It hears nobody for a while, campaigns in a term in which the old one has voted, and votes for itself: twice in a term.
 */
export function configurationIn(payload: ConfigurationPayload, self: Self | null): Configuration {
  const idOf = ({ id, instanceId }: Member): NodeId =>
    self !== null && id === self.id && instanceId !== self.instance ? otherDisk(id) : id
  const idsOf = (members: readonly Member[]): readonly NodeId[] => members.map(idOf).sort()
  const learners = idsOf(payload.learners)
  const members = {
    voters: idsOf(payload.voters),
    learners,
    outgoing: idsOf(payload.outgoing),
    promoting: payload.promoting.filter((id) => learners.includes(id)),
  }
  return payload.lease === undefined ? members : { ...members, lease: payload.lease }
}

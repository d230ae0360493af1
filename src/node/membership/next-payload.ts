import { assert } from '../../base/assert.ts'
import type { NodeId } from '../../base/brand.ts'
import type { ConfigurationPayload, Member, RemovedMember } from '../../codec/entry/payload.ts'
import { REMOVED_MAX } from '../../codec/entry/payload-codec.ts'
import type { Configuration } from '../../raft/types.ts'

/**
 * The payload of the core's next configuration: addresses and disks are those of the one before; only a learner may be the
 * newcomer. Disks that are members no more stand in `removed`.
 */
export function nextPayload(
  configuration: Configuration,
  before: ConfigurationPayload,
  newcomer: Member | null,
): ConfigurationPayload {
  const named = (ids: readonly NodeId[], known: readonly Member[]): readonly Member[] =>
    ids.map((id) => {
      const member = known.find((each) => each.id === id)
      assert(member !== undefined, 'a configuration names members that are known', { id })
      return member
    })
  const { voters, learners, outgoing } = before
  const next = {
    voters: named(configuration.voters, [...voters, ...learners]),
    learners: named(configuration.learners, [...(newcomer === null ? [] : [newcomer]), ...learners, ...voters]),
    outgoing: named(configuration.outgoing, voters),
  }
  const disks = new Set([...next.voters, ...next.learners, ...next.outgoing].map(({ instanceId }) => instanceId))
  const gone = [...before.removed, ...uniqueDisks([...voters, ...learners, ...outgoing])]
  const payload = {
    clusterId: before.clusterId,
    incarnation: before.incarnation,
    ...next,
    promoting: configuration.promoting,
    removed: gone.filter(({ instanceId }) => !disks.has(instanceId)).slice(-REMOVED_MAX),
  }
  return configuration.lease === undefined ? payload : { ...payload, lease: configuration.lease }
}

function uniqueDisks(members: readonly Member[]): readonly RemovedMember[] {
  const byDisk = new Map(members.map(({ id, instanceId }) => [instanceId, { id, instanceId }]))
  return [...byDisk.values()]
}

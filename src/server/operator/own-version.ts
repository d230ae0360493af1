import type { RaftNode } from '../../node/api.ts'
import type { Value } from '../../codec/value/value.ts'
import { OWN_MACHINE_NAME } from '../../session/own-versions.ts'
import type { OperatorReply } from './operator-reply.ts'

/**
 * Refuses what the cluster has not switched to yet, and says which voters are not known to have it; false: it has switched, or
 * its log names no versions at all. Older builds cannot apply such an entry (docs/decisions/own-versions.md).
 */
export function refuseNotYet(node: RaftNode, since: number | undefined, reply: OperatorReply): boolean {
  const { machine } = node
  if (since === undefined || !machine.activated || machine.own.active >= since) return false
  reply.refuse('NOT_YET_SUPPORTED', notYet(node, since))
  return true
}

/** Details of NOT_YET_SUPPORTED: the version wanted, that which is active, and the voters not known to have it. */
export function notYet(node: RaftNode, since: number): Value {
  const { voters, peerBuilds, id } = node.status()
  const has = new Set(
    peerBuilds.flatMap((build) => {
      const own = build.machines.find(({ name }) => name === OWN_MACHINE_NAME)
      return own?.versions.some(({ version }) => version >= since) === true ? [build.id] : []
    }),
  )
  const nodes = voters.filter((voter) => voter !== id && !has.has(voter))
  return { version: since, active: node.machine.own.active, nodes: nodes.join(',') }
}

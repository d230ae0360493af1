import type { z } from 'zod'
import { encodePayload } from '../../codec/entry/payload-codec.ts'
import type { SessionGateway } from '../../gateway/session-gateway.ts'
import { allLimits, changedLimits, INITIAL_LIMITS, LIMIT_NAMES } from './limit-rules.ts'
import { OperatorProposal } from './operator-proposal.ts'
import { LIMITS_CHANGE_SINCE } from '../../session/own-versions.ts'
import { refuseNotYet } from './own-version.ts'
import type { OperatorReply } from './operator-reply.ts'
import type { changeLimitsRequest } from './operator-requests.ts'

/** All limits as this node has applied them. */
export function answerLimits({ node }: SessionGateway, reply: OperatorReply): void {
  const { limits } = node.machine
  const inForce = allLimits(limits)
  reply.answer({
    index: limits.changedAt ?? 0,
    limits: LIMIT_NAMES.map((name) => ({ name, value: inForce[name], initial: INITIAL_LIMITS[name] })),
  })
}

/**
 * Proposes all limits, with the changes. What they must be is judged here, on the whole that the entry carries; that nobody
 * has changed them since, where it is applied.
 */
export function answerChangeLimits(
  { node }: SessionGateway,
  { changes, basedOn }: z.infer<typeof changeLimitsRequest>,
  reply: OperatorReply,
): void {
  const { limits: present } = node.machine
  const index = present.changedAt ?? 0
  if (refuseNotYet(node, LIMITS_CHANGE_SINCE, reply)) return
  if (index !== basedOn) return reply.refuse('LIMITS_CHANGED', { index })
  const wanted = changedLimits(present, changes)
  if (!wanted.ok) return reply.refuse('LIMIT_REFUSED', { ...wanted.problem })
  const payload = encodePayload('Limits', { ...wanted.limits, basedOn })
  const proposal = new OperatorProposal(node, reply, (applied, at) => {
    if (applied.kind === 'refused') reply.refuse(applied.code, applied.details)
    else reply.answer({ index: at })
  })
  node.submit('Limits', payload, proposal)
}

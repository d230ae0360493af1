import type { z } from 'zod'
import { logIndex, nodeId } from '../../base/brand.ts'
import type { SessionGateway } from '../../gateway/session-gateway.ts'
import type { changeMembershipRequest } from './operator-requests.ts'
import type { OperatorReply } from './operator-reply.ts'

/** The members as the leader knows them, and who waits to be one. */
export function answerMembers({ node }: SessionGateway, reply: OperatorReply): void {
  const { index, committed, joint, members } = node.membership.list()
  reply.answer({
    clusterId: node.clusterId,
    index,
    committed,
    joint,
    members: members.map(({ contactMs, matchIndex, ...member }) => ({
      ...member,
      matchIndex: matchIndex ?? 0,
      ...(contactMs === null ? {} : { contactMs }),
    })),
  })
}

/** Answers once the first entry of the change is committed. */
export function answerChangeMembership(
  { node }: SessionGateway,
  { change: kind, id, learner, basedOn }: z.infer<typeof changeMembershipRequest>,
  reply: OperatorReply,
): void {
  const change = { kind, id: nodeId(id), learner, basedOn: basedOn === 0 ? null : logIndex(basedOn) }
  node.membership.change(change, (outcome) => {
    if (outcome.kind === 'changed') reply.answer({ index: outcome.index })
    else if (outcome.kind === 'refused') reply.refuse(outcome.code, { id })
    else reply.refuse('SHUTTING_DOWN')
  })
}

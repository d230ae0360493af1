import type { z } from 'zod'
import { type NodeId, nodeId } from '../../base/brand.ts'
import { notLeader } from '../../gateway/refusal.ts'
import type { SessionGateway } from '../../gateway/session-gateway.ts'
import type { RaftNode } from '../../node/api.ts'
import { whenLed } from '../../node/leaving/when-led.ts'
import { systemClock } from '../../node/system-clock.ts'
import type { OperatorReply } from './operator-reply.ts'
import type { transferRequest } from './operator-requests.ts'

type TransferOutcome = Parameters<Parameters<RaftNode['transferLeadership']>[1]>[0]

/** How long the next leader may take to be heard of once this node leads no more: an election after a timeout. */
const LEADER_KNOWN_MS = 2000

const CODES: { readonly [outcome in Exclude<TransferOutcome, 'handedOver' | 'alreadyLeads' | 'notLeader'>]: string } = {
  timedOut: 'TRANSFER_TIMED_OUT',
  notVoter: 'NOT_VOTER',
  inactive: 'TARGET_INACTIVE',
  noTarget: 'NO_TARGET',
  busy: 'TRANSFER_UNDERWAY',
}

/** Hands leadership over; the answer names who leads then, "" when nobody was heard of in time. */
export function answerTransfer(
  { node }: SessionGateway,
  { to }: z.infer<typeof transferRequest>,
  reply: OperatorReply,
): void {
  const answer = (leader: NodeId | null): void =>
    reply.answer({ leader: leader ?? '', address: leader === null ? '' : (node.addressOf(leader) ?? '') })
  node.transferLeadership(to === '' ? null : nodeId(to), (outcome) => {
    if (outcome === 'handedOver') return whenLed(node, { clock: systemClock, withinMs: LEADER_KNOWN_MS }, answer)
    if (outcome === 'alreadyLeads') return answer(node.id)
    if (outcome !== 'notLeader') return reply.refuse(CODES[outcome])
    const { code, details } = notLeader(node)
    reply.refuse(code, details)
  })
}

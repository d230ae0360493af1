import type { z } from 'zod'
import type { SessionGateway } from '../../gateway/session-gateway.ts'
import { KIND_SINCE } from '../../session/own-versions.ts'
import { OperatorProposal } from './operator-proposal.ts'
import type { OperatorReply } from './operator-reply.ts'
import type { skipPartRequest } from './operator-requests.ts'
import { notYet } from './own-version.ts'

/** Where each voter has stopped, and whether that can be skipped. */
export function answerStops({ node }: SessionGateway, reply: OperatorReply): void {
  const { stops } = node.recovery
  const common = stops.common()
  reply.answer({
    voters: [...stops.current()].map(([id, stop]) => ({ id, index: stop?.index ?? 0, part: stop?.part ?? '' })),
    refusal: common === null ? 'NOT_STOPPED' : (node.recovery.checkSkip(common) ?? ''),
  })
}

/** Has it skipped; asked again, it answers once more. */
export function answerSkipPart(
  { node }: SessionGateway,
  stop: z.infer<typeof skipPartRequest>,
  reply: OperatorReply,
): void {
  const proposal = new OperatorProposal(node, reply, (_applied, index) => reply.answer({ index }))
  const refusal = node.recovery.skip(stop, proposal)
  if (refusal === 'NOT_YET_SUPPORTED') reply.refuse(refusal, notYet(node, KIND_SINCE.SkipEntry ?? 0))
  else if (refusal !== null) reply.refuse(refusal, { ...stop })
}

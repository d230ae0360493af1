import type { z } from 'zod'
import { encodePayload } from '../../../codec/entry/payload-codec.ts'
import { subjectDigest } from '../../../codec/value/sealed.ts'
import type { SessionGateway } from '../../../gateway/session-gateway.ts'
import { KIND_SINCE } from '../../../session/own-versions.ts'
import { OperatorProposal } from '../operator-proposal.ts'
import type { OperatorReply } from '../operator-reply.ts'
import type { forgetRequest } from '../operator-requests.ts'
import { refuseNotYet } from '../own-version.ts'

/**
 * Answers once the entry is applied and the keys are destroyed here, with the voters that have not said the same in time. The
 * entry
 * stands whatever they say: a voter that is away destroys its keys as it comes back, before it opens any field.
 */
export function answerForget(
  { node, options }: SessionGateway,
  { subject }: z.infer<typeof forgetRequest>,
  reply: OperatorReply,
): void {
  if (refuseNotYet(node, KIND_SINCE.ForgetSubject, reply)) return
  const digest = subjectDigest(subject)
  const proposal = new OperatorProposal(node, reply, (applied, index) => {
    if (applied.kind !== 'forgotten') return reply.refuse('INVALID', { field: 'subject' })
    const answer = (missing: readonly string[]): void => reply.answer({ index: applied.at, missing })
    const destroyed = options.personal?.keys.destroyed(digest, index)
    if (destroyed === undefined) answer([])
    else
      destroyed.then(
        ({ missing }) => answer(missing),
        // Its own keys are not destroyed, and so it stops.
        () => reply.refuse('OUTCOME_UNKNOWN'),
      )
  })
  node.submit('ForgetSubject', encodePayload('ForgetSubject', { subject: digest }), proposal)
}

import type { z } from 'zod'
import { parseSessionId } from '../../base/brand.ts'
import { encodePayload } from '../../codec/entry/payload-codec.ts'
import type { SessionGateway } from '../../gateway/session-gateway.ts'
import type { RaftNode } from '../../node/api.ts'
import type { DeadLetter } from '../../session/dead-letter.ts'
import { OperatorProposal } from './operator-proposal.ts'
import { KIND_SINCE } from '../../session/own-versions.ts'
import { refuseNotYet } from './own-version.ts'
import type { OperatorReply } from './operator-reply.ts'
import type { deadLettersRequest, moveDeadLettersRequest } from './operator-requests.ts'
import { waitingOf } from './session-answers.ts'

/** Of the letters looked at those that are wanted; where the next page begins. */
export function answerDeadLetters(
  { node }: SessionGateway,
  { after, limit, session, payloads }: z.infer<typeof deadLettersRequest>,
  reply: OperatorReply,
): void {
  const page = node.machine.deadLetters(after, limit)
  const id = session === null ? null : `${session.group}/${session.incarnation}/${session.index}`
  const wanted = id === null ? page : page.filter(({ target }) => target.id === id)
  const last = page.length < limit ? null : (page.at(-1)?.letter ?? null)
  reply.answer({ letters: wanted.map((letter) => lineOf(node, letter, payloads)), nextAfter: last ?? 0 })
}

/** Answers once the entry is applied, with what came of each. */
export function answerMoveDeadLetters(
  { node }: SessionGateway,
  { move, letters }: z.infer<typeof moveDeadLettersRequest>,
  reply: OperatorReply,
): void {
  if (refuseNotYet(node, KIND_SINCE.MoveDeadLetters, reply)) return
  const payload = encodePayload('MoveDeadLetters', { move, letters })
  const proposal = new OperatorProposal(node, reply, (applied, index) => {
    if (applied.kind === 'moved') reply.answer({ index, outcomes: applied.outcomes })
    else reply.refuse('INVALID', { field: 'letters' })
  })
  node.submit('MoveDeadLetters', payload, proposal)
}

function lineOf({ machine }: RaftNode, { letter, target, request, at, until }: DeadLetter, payloads: boolean): object {
  const numbers = parseSessionId(target.id)
  return {
    letter,
    session: target.id,
    principal: target.principal,
    clientName: target.name,
    alive: numbers !== null && machine.sessionOverview(numbers) !== null,
    request: waitingOf(request, payloads),
    deadMs: at,
    untilMs: until,
  }
}

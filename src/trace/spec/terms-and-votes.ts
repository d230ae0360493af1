import type { StepLine, TracedMessage } from '../line.ts'
import type { SpecServer } from './server.ts'
import { allow } from './not-allowed.ts'

/**
 * Actions UpdateTerm, Timeout and HandleRequestVoteRequest: how a server's term and its vote may change in one step. A pre-vote
 * (thesis §9.6) speaks of a term that nobody is in yet, and changes neither.
 */
export function checkTermAndVote(server: SpecServer, line: StepLine): void {
  const { term, vote } = line.state
  allow(term >= server.term, 'currentTerm never falls', () => `${server.term} → ${term}`)
  checkAdopted(line)
  if (term > server.term) checkRise(server, line)
  else if (vote !== server.vote) checkVote(server, line)
  checkWrite(server, line)
}

/** Any message of a newer term is adopted, but a request for a vote while the leader is heard (thesis §4.2.3). */
function checkAdopted({ event, state }: StepLine): void {
  if (event.kind !== 'receive' || event.message.kind === 'requestVote') return
  const heard = termOfSender(event.message) ?? 0
  const seen = (): string => `${state.term} after ${event.message.kind} of term ${heard}`
  allow(state.term >= heard, 'UpdateTerm: a server adopts the term of a message', seen)
}

/** Whether the server has timed out in this step, into the term that it is in afterwards. */
export function timedOut(server: SpecServer, { state }: StepLine): boolean {
  return state.term > server.term && state.vote === server.name && state.role !== 'follower'
}

function checkRise(server: SpecServer, line: StepLine): void {
  const { term, vote } = line.state
  if (timedOut(server, line)) return checkTimeout(server, line)
  const heard = heardTerm(line)
  const seen = (): string => `${server.term} → ${term} by ${line.event.kind}, which says ${heard ?? 'no term'}`
  // A server whose log was damaged picks a term above all that it was told of.
  allow(heard === term || server.damaged, 'UpdateTerm: a server adopts the term of a message', seen)
  if (vote !== null) checkVote(server, line)
}

function checkTimeout(server: SpecServer, line: StepLine): void {
  const { term } = line.state
  // A leader's wish that its target campaigns may be the first thing that this one hears of that term.
  const from = Math.max(server.term, heardTerm(line) ?? 0)
  allow(term === from + 1, 'Timeout: a candidate is in the next term', () => `${from} → ${term}`)
  // Whom the newest configuration leaves out may be needed until that is committed (thesis §4.2.2).
  const inForce = server.configurations.slice(-2)
  const votes = inForce.some(({ voters, outgoing }) => [...voters, ...outgoing].includes(server.name))
  allow(votes, 'Timeout: only voters campaign', () => `${server.name} in ${JSON.stringify(inForce)}`)
  allow(server.role !== 'leader', 'Timeout: a leader does not campaign', () => `term ${term}`)
}

/** The vote is another one than before, in this term, or in the one that it has just adopted. */
function checkVote(server: SpecServer, { event, state }: StepLine): void {
  const { term, vote } = state
  const before = term === server.term ? server.vote : null
  const seen = (): string => `${before ?? 'nobody'} → ${vote ?? 'nobody'} in term ${term} by ${event.kind}`
  allow(before === null, 'a server votes for one candidate in a term (paper §5.2)', seen)
  const request = event.kind === 'receive' && event.message.kind === 'requestVote' ? event : null
  const asked = request !== null && request.from === vote && request.message.term === term
  allow(asked, 'a vote goes to who asks for it in that term', seen)
  if (request?.message.kind !== 'requestVote') return
  const { lastLogIndex, lastLogTerm } = request.message
  const { last, lastTerm } = server.log
  const upToDate = lastLogTerm > lastTerm || (lastLogTerm === lastTerm && lastLogIndex >= last)
  allow(
    upToDate,
    'a vote goes to a log that is as up to date as the own (paper §5.4.1)',
    () => `${lastLogIndex}@${lastLogTerm} where the own ends with ${last}@${lastTerm}`,
  )
}

/** What is new of term and vote is in the write of this very step, and nothing else is. */
function checkWrite(server: SpecServer, { state, write }: StepLine): void {
  const { term, vote } = state
  const changed = term !== server.term || vote !== server.vote
  const written = write?.hardState ?? null
  const right = changed ? written?.term === term && written.vote === vote : written === null
  const seen = (): string => `term ${term}, vote ${vote ?? 'nobody'}; written ${JSON.stringify(written)}`
  allow(right, 'term and vote are written when they change (paper Figure 2, persistent state)', seen)
}

/** The term that the event tells a server to be in; null: none. */
function heardTerm({ event }: StepLine): number | null {
  if (event.kind === 'snapshotInstalled') return event.term
  return event.kind === 'receive' ? termOfSender(event.message) : null
}

function termOfSender(message: TracedMessage): number | null {
  return message.kind === 'preVoteRequest' ? null : message.term
}

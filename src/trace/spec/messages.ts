import { unreachable } from '../../base/assert.ts'
import type { StepLine, TracedAppendEntries, TracedMessage, TracedSend } from '../line.ts'
import { allow } from './not-allowed.ts'
import { ledBefore, type SpecServer } from './server.ts'

/** Actions RequestVote, AppendEntries and the replies: what a server may say, from the state after its step. */
export function checkSends(server: SpecServer, line: StepLine): void {
  for (const send of line.sends) checkSend(server, line, send)
}

function checkSend(server: SpecServer, line: StepLine, { to, message }: TracedSend): void {
  const { state } = line
  const seen = (): string =>
    `${message.kind} of term ${message.term} to ${to} from a ${state.role} of term ${state.term}`
  // A pre-vote asks about a term that nobody is in (thesis §9.6).
  const right = message.kind === 'preVoteRequest' ? message.term > state.term : message.term === state.term
  allow(right, 'a message carries its sender’s term (paper §5.1)', seen)
  switch (message.kind) {
    case 'requestVote':
      allow(state.role === 'candidate', 'RequestVote: a candidate asks', seen)
      return checkEnd(server, message)
    case 'requestVoteResponse':
      if (message.verdict.granted) allow(state.vote === to, 'a vote is given as it is recorded', seen)
      return
    case 'appendEntries':
      allow(leads(server, line), 'AppendEntries: a leader sends entries', seen)
      return checkEntries(server, line, message)
    case 'appendEntriesResponse':
      return checkAnswer(server, line, message)
    case 'installSnapshot':
      allow(leads(server, line), 'InstallSnapshot: a leader offers a snapshot', seen)
      return checkOffer(server, line, message)
    case 'installSnapshotResponse': {
      const { matchIndex } = message
      allow(
        matchIndex <= state.commit,
        'a snapshot vouches for what is committed',
        () => `${matchIndex} of ${state.commit}`,
      )
      return
    }
    case 'timeoutNow':
    case 'readIndexResponse':
      return allow(leads(server, line), 'only a leader says so', seen)
    // Nothing follows from these by themselves.
    case 'preVoteRequest':
    case 'preVoteResponse':
    case 'logEnd':
    case 'readIndex':
      return
    default:
      return unreachable(message)
  }
}

function leads(server: SpecServer, line: StepLine): boolean {
  return line.state.role === 'leader' || ledBefore(server, line)
}

function checkEnd({ log }: SpecServer, message: Extract<TracedMessage, { kind: 'requestVote' }>): void {
  const { lastLogIndex, lastLogTerm } = message
  const right = lastLogIndex === log.last && lastLogTerm === log.lastTerm
  const seen = (): string => `${lastLogIndex}@${lastLogTerm}, the log ends with ${log.last}@${log.lastTerm}`
  allow(right, 'a candidate says where its log ends (paper §5.4.1)', seen)
}

function checkEntries({ log }: SpecServer, { state }: StepLine, message: TracedAppendEntries): void {
  const { prevLogIndex, prevLogTerm, runs, leaderCommit } = message
  const seen = (): string => JSON.stringify(message)
  allow(log.termAt(prevLogIndex) === prevLogTerm, 'AppendEntries: the previous entry is the leader’s', seen)
  allow(leaderCommit <= state.commit, 'AppendEntries: no more is told than is committed', seen)
  let next = prevLogIndex + 1
  for (const run of runs) {
    allow(run.first === next, 'AppendEntries: entries follow the previous one', seen)
    for (let index = run.first; index <= run.last; index += 1) {
      allow(log.termAt(index) === run.term, 'AppendEntries: the entries are the leader’s', seen)
    }
    next = run.last + 1
  }
}

function checkOffer(
  { log }: SpecServer,
  { state }: StepLine,
  message: Extract<TracedMessage, { kind: 'installSnapshot' }>,
): void {
  const { lastIncludedIndex: index, lastIncludedTerm: term } = message
  const committed = index <= state.commit && log.termAt(index) === term
  allow(committed, 'a snapshot is of committed entries (paper §7)', () => `${index}@${term}, committed ${state.commit}`)
}

/** Paper Figure 2, AppendEntries: what is acknowledged is what this message, or one before it, has shown to be the same. */
function checkAnswer(
  server: SpecServer,
  { event }: StepLine,
  { result, sequence }: Extract<TracedMessage, { kind: 'appendEntriesResponse' }>,
): void {
  const asked = event.kind === 'receive' && event.message.kind === 'appendEntries' ? event.message : null
  allow(asked?.sequence === sequence, 'an answer is to a request', () => `#${sequence} by ${event.kind}`)
  if (!result.success) return
  const seen = (): string => `${result.matchIndex}, where ${server.accepted} is vouched for`
  allow(result.matchIndex <= server.accepted, 'no more is acknowledged than was verified (paper §5.3)', seen)
}

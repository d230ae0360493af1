import { assert } from '../base/assert.ts'
import { type NodeId, type Term, term } from '../base/brand.ts'
import type { LogEnd, Survey } from './owed.ts'
import { hasQuorum } from './quorum.ts'
import { configurationOf, isVoter, type RaftState, votersOf } from './state.ts'
import { lastTermOf } from './trail.ts'
import type { Turn } from './turn.ts'
import type { Message } from './types.ts'

/**
 * Whose word is waited for: all other voters, those of a joint configuration that are going too. Such a one may campaign, with
 * a vote that this node lost, or be the only one that still has what this node and all that stay have lost (golden scripts 99
 * and 100).
 */
export function askedBy(state: RaftState): readonly NodeId[] {
  return votersOf(state).filter((voter) => voter !== state.config.self)
}

/** Asks all other voters for their terms, and where their logs end: in a pre-vote request, which changes nothing. */
export function ask(turn: Turn, before: Survey['before']): void {
  const { survey } = turn.state
  turn.state = { ...turn.state, survey: { ...survey, round: survey.round + 1, told: new Map(), before } }
  const { state } = turn
  const request = {
    kind: 'preVoteRequest',
    term: questionOf(state),
    lastLogIndex: state.lastIndex,
    lastLogTerm: lastTermOf(state.trail),
  } as const
  for (const voter of askedBy(state)) turn.sendAtOnce(voter, request)
}

/** Answers who asks so. A leader does not: who owes something is to hear it as its leader. */
export function tellLogEnd(turn: Turn, to: NodeId, requestTerm: Term): void {
  const { obligation, currentTerm, role, lastIndex: lastLogIndex, trail, seed: life } = turn.state
  if (role.kind === 'leader' || requestTerm < QUESTIONS) return
  const lost = obligation === null ? 'nothing' : obligation.kind === 'census' ? 'term' : 'entries'
  const last = { lastLogIndex, lastLogTerm: lastTermOf(trail) }
  turn.sendOnceDurable(to, { kind: 'logEnd', term: currentTerm, requestTerm, life, lost, ...last }, lastLogIndex)
}

/**
 * A voter has told where its log ends. Once all have, at one moment, the longest of their logs, the own one among them, is all
 * that there is: who owes more owes only that from then on (storage.md §3). Else nobody would be elected again, for ever,
 * where so many have lost something that those who have not are no majority.
 *
 * At one moment: without that, n2 asks n1, whose log is short, n1 gets again what it lost and commits 9@2 with n3, n3 is
 * damaged and answers too; and n2 would vote for a log that ends before 9@2, although n1 has it. So all are asked again once
 * all have answered. Where a log ended never comes back once it went on (by the order of paper §5.4.1, within a process): so
 * who says the same both times has had that log in between, and there was a moment at which the logs were all as they say.
 *
 * What is kept: an entry that was committed by then, and that one log still has, is in the longest, by leader completeness
 * (paper §5.4.3) and log matching; and who holds the end of the longest, or an entry of a later leader, holds it. One that is
 * committed later is in the log of every node that acknowledges it, which votes for no shorter one. What is given up: entries
 * that every voter which had them has lost.
 */
export function receiveLogEnd(turn: Turn, from: NodeId, message: Extract<Message, { kind: 'logEnd' }>): void {
  const { state } = turn
  const { obligation, survey } = state
  if (obligation === null || message.requestTerm !== questionOf(state)) return
  const { life, lost, lastLogTerm, lastLogIndex } = message
  const told = new Map(survey.told).set(from, { life, lost, lastLogTerm, lastLogIndex })
  turn.state = { ...state, survey: { ...survey, told } }
  const others = askedBy(state)
  // A learner has no say, and one that has lost its vote has another question first.
  if (!isVoter(state) || obligation.kind !== 'reach' || others.length === 0) return
  if (!others.every((voter) => told.has(voter))) return
  if (others.every((voter) => isSame(told.get(voter), survey.before?.get(voter)))) oweNoMore(turn, told)
  else ask(turn, told)
}

/** Than what the longest log has. */
function oweNoMore(turn: Turn, others: Survey['told']): void {
  const { state } = turn
  const { obligation } = state
  assert(obligation?.kind === 'reach', 'who asks for the longest log owes a known entry', { obligation })
  let [longestTerm, longestIndex] = [lastTermOf(state.trail), state.lastIndex]
  for (const { lastLogTerm, lastLogIndex } of others.values()) {
    if (lastLogTerm < longestTerm || (lastLogTerm === longestTerm && lastLogIndex <= longestIndex)) continue
    longestTerm = lastLogTerm
    longestIndex = lastLogIndex
  }
  const longest = { term: longestTerm, index: longestIndex }
  if (reaches(longest, obligation)) return
  const owed = { term: obligation.term, index: obligation.index }
  turn.state = { ...state, obligation: { kind: 'reach', ...longest } }
  // What was committed is on the disk of a majority: one that has lost nothing has all of it among its disks.
  const whole = hasQuorum(configurationOf(state), (voter) => others.get(voter)?.lost === 'nothing')
  if (!whole) turn.loseEntries({ kind: 'entriesLost', ...longest, owed })
}

/** The order of paper §5.4.1. */
export function reaches(last: EndOfLog, owed: EndOfLog): boolean {
  return last.term > owed.term || (last.term === owed.term && last.index >= owed.index)
}

/** Where a log ends. */
export interface EndOfLog {
  readonly term: number
  readonly index: number
}

/** The same process, with the same log. */
function isSame(left: LogEnd | undefined, right: LogEnd | undefined): boolean {
  if (left === undefined || right === undefined) return false
  return left.life === right.life && left.lastLogTerm === right.lastLogTerm && left.lastLogIndex === right.lastLogIndex
}

/** No cluster gets to a term from there on: answers to questions are told from those to elections by it. */
export const QUESTIONS = 2 ** 52
/** Questions of one process: an election timeout lies between two of them, or an answer of every other voter. */
const ROUNDS = 2 ** 16
const LIVES = 2 ** 32

/** The term that the newest question names, by which answers to it are told from those to other ones and other processes. */
function questionOf({ seed, survey }: RaftState): Term {
  return term(QUESTIONS + (seed % LIVES) * ROUNDS + (survey.round % ROUNDS))
}

/** Whether that is the term of a question of this process. */
export function isOwnQuestion({ seed }: RaftState, requestTerm: Term): boolean {
  return requestTerm >= QUESTIONS && Math.floor((requestTerm - QUESTIONS) / ROUNDS) === seed % LIVES
}

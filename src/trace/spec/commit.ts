import type { StepLine, TracedAppendEntries, TracedConfiguration } from '../line.ts'
import { matches } from './logs.ts'
import { allow } from './not-allowed.ts'
import { isQuorum, ledBefore, type SpecServer } from './server.ts'

/** Action HandleAppendEntriesResponse: what a leader may count. */
export function countAnswer(server: SpecServer, line: StepLine): void {
  const { event, state } = line
  if (event.kind !== 'receive' || !ledBefore(server, line)) return
  const { message, from } = event
  if (message.term !== state.term) return
  if (message.kind === 'appendEntriesResponse' && message.result.success) {
    count(server, from, message.sequence, message.result.matchIndex)
  }
  if (message.kind === 'installSnapshotResponse') count(server, from, message.sequence, message.matchIndex)
}

function count({ match, followed }: SpecServer, from: string, sequence: number, matchIndex: number): void {
  match.set(from, Math.max(match.get(from) ?? 0, matchIndex))
  followed.set(from, Math.max(followed.get(from) ?? 0, sequence))
}

/**
 * Actions AdvanceCommitIndex, at a leader, and the last part of HandleAppendEntriesRequest, at any other. `configuration`:
 * the one in force before the step.
 */
export function checkCommit(server: SpecServer, line: StepLine, configuration: TracedConfiguration | null): void {
  const { commit, last } = line.state
  allow(commit >= server.commit, 'commitIndex never falls', () => `${server.commit} → ${commit}`)
  allow(commit <= last, 'only entries of the log are committed', () => `${commit}, the log ends with ${last}`)
  if (commit === server.commit) return
  // A snapshot that was asked for before the election may end at a leader that has all of it, and knew less of it.
  const counts = ledBefore(server, line) && line.event.kind !== 'snapshotInstalled'
  if (counts) checkLeaderCommit(server, line, configuration)
  else checkFollowerCommit(server, line)
}

function checkLeaderCommit(server: SpecServer, { state }: StepLine, configuration: TracedConfiguration | null): void {
  const { commit, term } = state
  const { log, disk, name, match } = server
  allow(
    log.termAt(commit) === term,
    'a leader commits by counting entries of its own term alone (paper §5.4.2)',
    () => `${commit}@${log.termAt(commit) ?? '?'} in term ${term}`,
  )
  const own = disk.log.termAt(commit) === term
  const holds = (voter: string): boolean => (voter === name ? own : (match.get(voter) ?? 0) >= commit)
  allow(
    isQuorum(configuration, holds),
    'AdvanceCommitIndex: a majority holds the entry on disk (paper §5.3; thesis §4.3)',
    () => `${commit} of ${JSON.stringify([...match])}, own disk ends with ${disk.log.last}@${disk.log.lastTerm}`,
  )
}

/** A follower commits what its leader says is committed, as far as that message has shown that the logs are the same. */
function checkFollowerCommit(server: SpecServer, { event, state }: StepLine): void {
  const { commit } = state
  const told = toldOf(server, event, state.term)
  allow(commit <= told, 'a follower commits no more than it was told and has verified (paper Figure 2)', () => {
    return `${server.commit} → ${commit} by ${event.kind}, which speaks for ${told}`
  })
}

function toldOf({ log, accepted }: SpecServer, event: StepLine['event'], term: number): number {
  if (event.kind === 'snapshotInstalled') return event.index
  if (event.kind !== 'receive' || event.message.term !== term) return 0
  const { message } = event
  if (message.kind === 'appendEntries') return Math.min(message.leaderCommit, lastOf(message), accepted)
  if (message.kind !== 'installSnapshot') return 0
  return log.termAt(message.lastIncludedIndex) === message.lastIncludedTerm ? message.lastIncludedIndex : 0
}

function lastOf({ runs, prevLogIndex }: TracedAppendEntries): number {
  return runs.at(-1)?.last ?? prevLogIndex
}

/** Up to where the leader of this term has vouched for this log: what an answer to it may acknowledge. */
export function noteAccepted(server: SpecServer, { event, state }: StepLine): void {
  if (state.term !== server.term) server.accepted = 0
  if (event.kind !== 'receive' || event.message.kind !== 'appendEntries') return
  const { message } = event
  if (message.term === state.term && matches(server, message)) {
    server.accepted = Math.max(server.accepted, lastOf(message))
  }
}

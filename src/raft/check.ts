import { assert } from '../base/assert.ts'
import type { NodeId } from '../base/brand.ts'
import type { TermRun } from '../base/term-run.ts'
import { type RaftState, type Leader, votersOf } from './state.ts'
import { lastIndexOf, lastTermOf, runsBetween, trailTermAt } from './trail.ts'
import type { Progress } from './types.ts'

/**
 * Throws AssertionError when a state breaks an invariant that holds between any two steps. PERF: O(runs + outstanding
 * writes + followers), a few microseconds; made for tests and the simulator, cheap enough for production.
 */
export function checkState(state: RaftState): void {
  checkTrail(state)
  checkDisk(state)
  checkConfigurations(state)
  checkRole(state)
}

function checkTrail(state: RaftState): void {
  const { trail, lastIndex, commitIndex, currentTerm } = state
  assert(lastIndex === lastIndexOf(trail), 'lastIndex is the trail’s', { lastIndex, trail })
  assert(lastTermOf(trail) <= currentTerm, 'no entry is of a later term', { currentTerm, trail })
  assert(trail.snapshotIndex <= commitIndex, 'a snapshot covers only committed entries', { commitIndex, trail })
  assert(commitIndex <= lastIndex, 'only entries of the log are committed', { commitIndex, lastIndex })
  let previous: TermRun = { first: trail.snapshotIndex, last: trail.snapshotIndex, term: trail.snapshotTerm }
  trail.runs.forEach((run, at) => {
    assert(run.first === previous.last + 1, 'runs have no gap', { run, previous })
    assert(run.last >= run.first, 'a run is not empty', { run })
    // The snapshot's last entry and the first run may share a term.
    assert(at === 0 ? run.term >= previous.term : run.term > previous.term, 'terms rise from run to run', {
      run,
      previous,
    })
    previous = run
  })
}

function checkDisk(state: RaftState): void {
  const { disk, trail, lastIndex } = state
  assert(disk.durableIndex <= lastIndex, 'only entries of the log are durable', { disk, lastIndex })
  assert(disk.hardStateWrite <= disk.lastWrite, 'a hard state travels in a write that was issued', { disk })
  assert(disk.lastWrite - disk.durableWrite === disk.outstanding.length, 'each other write is outstanding', { disk })
  let previousIndex: number = disk.durableIndex
  disk.outstanding.forEach((write, at) => {
    assert(write.write === disk.durableWrite + at + 1, 'writes are numbered without gap', { disk })
    assert(write.lastIndex >= previousIndex, 'a later write holds no less of the log', { disk })
    const term = trailTermAt(trail, write.lastIndex)
    const known = write.lastIndex < trail.snapshotIndex || term === write.lastTerm
    assert(known, 'an outstanding write describes the log', { write, term })
    previousIndex = write.lastIndex
  })
  assert(previousIndex === lastIndex, 'every entry is written or being written', { disk, lastIndex })
}

function checkConfigurations(state: RaftState): void {
  let previous = -1
  for (const { index, configuration } of state.configurations) {
    assert(index > previous, 'configurations are stacked in index order', { configurations: state.configurations })
    assert(index <= state.lastIndex, 'a configuration stands in the log', { index, lastIndex: state.lastIndex })
    assert(configuration.voters.length > 0, 'a configuration has voters', { index })
    previous = index
  }
}

function checkRole(state: RaftState): void {
  const { role, votedFor, config, disk } = state
  if (role.kind === 'follower') {
    assert(role.leader !== config.self, 'a follower does not follow itself', { role })
    return
  }
  assert(votersOf(state).includes(config.self) || role.kind === 'leader', 'only a voter campaigns', { role })
  if (role.kind === 'preCandidate') return
  assert(votedFor === config.self, 'a candidate has voted for itself', { role, votedFor })
  if (role.kind === 'candidate') {
    assert(role.voteWrite <= disk.lastWrite, 'a candidate’s vote has been issued', { role, disk })
    return
  }
  assert(disk.hardStateWrite <= disk.durableWrite, 'a leader’s vote is durable', { disk })
  assert(lastTermOf(state.trail) === state.currentTerm, 'a leader has an entry of its own term', { trail: state.trail })
  for (const [id, progress] of role.progress) checkProgress(state, role, { id, progress })
}

function checkProgress(state: RaftState, leader: Leader, follower: { id: NodeId; progress: Progress }): void {
  const { matchIndex, nextIndex, inFlight, mode, answered } = follower.progress
  assert(matchIndex < nextIndex, 'nextIndex lies above matchIndex', follower)
  assert(nextIndex <= state.lastIndex + 1, 'nextIndex lies at most behind the log', follower)
  assert(answered <= leader.sequence, 'only what was sent is answered', follower)
  assert(inFlight.length <= state.config.inFlightMessagesMax, 'the window holds', follower)
  let previous: number = matchIndex
  for (const message of inFlight) {
    assert(message.lastIndex > previous, 'messages in flight are in order and above the match', follower)
    previous = message.lastIndex
  }
  if (mode === 'probe') assert(inFlight.length <= 1, 'a probe is alone', follower)
  else assert(nextIndex === previous + 1, 'nextIndex follows what is in flight', follower)
}

/**
 * Throws AssertionError when a step broke a rule between two states (paper Figure 3 and Figure 2's "increases
 * monotonically"). PERF: O(1) when the log did not change, else O(runs).
 */
export function checkTransition(previous: RaftState, next: RaftState): void {
  assert(next.currentTerm >= previous.currentTerm, 'the term never falls', terms(previous, next))
  assert(next.commitIndex >= previous.commitIndex, 'the commit index never falls', {
    previous: previous.commitIndex,
    next: next.commitIndex,
  })
  const issued = next.disk.lastWrite - previous.disk.lastWrite
  assert(issued === 0 || issued === 1, 'a step issues at most one write', { issued })
  assert(next.disk.durableWrite >= previous.disk.durableWrite, 'durable writes stay durable', { disk: next.disk })
  if (next.currentTerm === previous.currentTerm) checkSameTerm(previous, next)
  else assert(issued === 1, 'a new term is written', terms(previous, next))
  if (next.trail !== previous.trail) checkPrefix(previous, next)
}

function checkSameTerm(previous: RaftState, next: RaftState): void {
  const { votedFor } = previous
  assert(votedFor === null || votedFor === next.votedFor, 'a vote is given once in a term', terms(previous, next))
  const leads = next.role.kind === 'leader'
  const led = previous.role.kind === 'leader'
  if (leads && !led) {
    assert(previous.role.kind === 'candidate', 'only a candidate becomes leader', { role: previous.role.kind })
  }
  if (!led || !leads) return
  for (const [id, before] of previous.role.progress) {
    const after = next.role.progress.get(id)
    if (after === undefined || after === before) continue
    assert(after.matchIndex >= before.matchIndex, 'matchIndex increases monotonically', { id, before, after })
  }
}

/** Committed entries stay as they are, and so does the whole log of a leader (paper Figure 3, Leader Append-Only). */
function checkPrefix(previous: RaftState, next: RaftState): void {
  const leads = previous.role.kind === 'leader' && next.role.kind === 'leader'
  const kept = leads ? previous.lastIndex : previous.commitIndex
  assert(next.lastIndex >= kept, 'what is committed, or a leader’s, is never removed', {
    kept,
    lastIndex: next.lastIndex,
  })
  for (const run of runsBetween(previous.trail, previous.trail.snapshotIndex, kept)) {
    if (run.last < next.trail.snapshotIndex) continue
    const first = run.first > next.trail.snapshotIndex ? run.first : next.trail.snapshotIndex
    const same = trailTermAt(next.trail, first) === run.term && trailTermAt(next.trail, run.last) === run.term
    assert(same, 'what is committed, or a leader’s, never changes', { run, trail: next.trail })
  }
}

function terms(previous: RaftState, next: RaftState): Record<string, unknown> {
  return {
    previous: { term: previous.currentTerm, votedFor: previous.votedFor },
    next: { term: next.currentTerm, votedFor: next.votedFor },
  }
}

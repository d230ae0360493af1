import { assert } from '../base/assert.ts'
import type { NodeId } from '../base/brand.ts'
import type { TermRun } from '../base/term-run.ts'
import { heirs } from './hand-over.ts'
import { type Leader, leaderOf, mayCampaign, NO_READS, otherVotersOf, type RaftState } from './state.ts'
import { lastIndexOf, lastTermOf, runsBetween, trailTermAt } from './trail.ts'
import type { Progress } from './types.ts'

/**
 * Throws AssertionError when a state breaks one of the invariants that `RaftState` (state.ts) and `Progress` (types.ts) list,
 * in the words of those lists. PERF: O(runs + outstanding writes + followers), a few microseconds; made for tests and the
 * simulator, cheap enough for production.
 */
export function checkState(state: RaftState): void {
  checkTrail(state)
  checkDisk(state)
  checkConfigurations(state)
  checkRole(state)
  checkReads(state)
}

function checkTrail(state: RaftState): void {
  const { trail, lastIndex, commitIndex, currentTerm } = state
  assert(lastIndex === lastIndexOf(trail), 'lastIndex is the last index of the trail', { lastIndex, trail })
  assert(lastTermOf(trail) <= currentTerm, 'the last entry’s term lies in [0, currentTerm]', { currentTerm, trail })
  assert(
    isWithin(commitIndex, trail.snapshotIndex, lastIndex),
    'commitIndex lies in [trail.snapshotIndex, lastIndex]',
    {
      commitIndex,
      lastIndex,
      trail,
    },
  )
  let previous: TermRun = { first: trail.snapshotIndex, last: trail.snapshotIndex, term: trail.snapshotTerm }
  trail.runs.forEach((run, at) => {
    assert(run.first === previous.last + 1, 'the runs of the trail cover [snapshotIndex + 1, lastIndex] without gap', {
      run,
      previous,
    })
    assert(run.first <= run.last, 'a run [first, last] holds at least one entry', { run })
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
  const { durableWrite, lastWrite, outstanding } = disk
  assert(disk.durableIndex <= lastIndex, 'disk.durableIndex lies in [0, lastIndex]', { disk, lastIndex })
  assert(disk.hardStateWrite <= lastWrite, 'disk.hardStateWrite lies in [0, disk.lastWrite]', { disk })
  assert(
    outstanding.length === lastWrite - durableWrite &&
      outstanding.every(({ write }, at) => write === durableWrite + 1 + at),
    'disk.outstanding holds the writes [disk.durableWrite + 1, disk.lastWrite], in order',
    { disk },
  )
  let reached: number = disk.durableIndex
  for (const write of outstanding) {
    assert(
      isWithin(write.lastIndex, reached, lastIndex),
      'an outstanding write’s lastIndex lies in [the one before’s, lastIndex], the first’s in [disk.durableIndex, lastIndex]',
      { disk, lastIndex },
    )
    const term = trailTermAt(trail, write.lastIndex)
    assert(
      write.lastIndex < trail.snapshotIndex || term === write.lastTerm,
      'an outstanding write’s lastTerm is the log’s at its lastIndex, unless the snapshot covers that',
      { write, term },
    )
    reached = write.lastIndex
  }
  assert(reached === lastIndex, 'every entry of [disk.durableIndex + 1, lastIndex] is in an outstanding write', {
    disk,
    lastIndex,
  })
}

function checkConfigurations(state: RaftState): void {
  const { configurations, lastIndex } = state
  let previous = -1
  for (const { index, configuration } of configurations) {
    assert(index > previous, 'configurations rise in index', { configurations })
    assert(isWithin(index, 0, lastIndex), 'a configuration’s index lies in [0, lastIndex]', { index, lastIndex })
    assert(configuration.voters.length > 0, 'a configuration has at least one voter', { index })
    previous = index
  }
}

function checkRole(state: RaftState): void {
  const { role, votedFor, config, disk, trail } = state
  if (role.kind === 'follower') {
    assert(role.leader !== config.self, 'a follower does not follow itself', { role })
    return
  }
  assert(state.obligation === null, 'a node with an obligation is a follower', { role })
  const votes = role.kind === 'leader' || mayCampaign(state)
  assert(votes, 'a pre-candidate or candidate is a voter of its effective configuration, or of the one before', {
    role,
  })
  assert(role.kind === 'leader' || !state.stalled, 'a pre-candidate’s or candidate’s disk does not hang', { role })
  if (role.kind === 'preCandidate') return
  assert(votedFor === config.self, 'a candidate or leader has voted for itself in currentTerm', { role, votedFor })
  if (role.kind === 'candidate') {
    assert(isWithin(role.voteWrite, 1, disk.lastWrite), 'a candidate’s voteWrite lies in [1, disk.lastWrite]', {
      role,
      disk,
    })
    return
  }
  assert(disk.hardStateWrite <= disk.durableWrite, 'a leader’s disk.hardStateWrite lies in [0, disk.durableWrite]', {
    disk,
  })
  assert(lastTermOf(trail) === state.currentTerm, 'a leader’s last entry is of currentTerm', { trail })
  const own = trail.runs.at(-1)
  assert(
    own === undefined || own.first === Math.max(role.firstOwnIndex, trail.snapshotIndex + 1),
    'a leader’s entries of currentTerm are [firstOwnIndex, lastIndex], less what the snapshot covers',
    { firstOwnIndex: role.firstOwnIndex, trail },
  )
  checkHandOver(state, role)
  checkLease(state, role)
  for (const [id, progress] of role.progress) checkProgress(state, role, { id, progress })
}

function checkHandOver(state: RaftState, role: Leader): void {
  const caught = heirs(state, role).length
  const others = otherVotersOf(state)
  assert(
    !state.halted || role.helpUntil !== null || caught === 0,
    'no other voter that serves is known to hold the whole log of a leader that halted in office',
    { role },
  )
  assert(
    role.helpUntil === null || caught === 0 || caught < others.length,
    'not all other voters are known to serve and to hold the whole log of a leader elected halted',
    { role },
  )
  const { transfer } = role
  assert(transfer === null || others.includes(transfer.to), 'a transfer’s target is another voter', { role })
  assert(
    !state.stalled || transfer !== null || others.length === 0,
    'a leader whose disk hangs hands over, or is the sole voter',
    { role },
  )
}

function checkLease({ commitIndex, lastIndex }: RaftState, { lease, firstOwnIndex }: Leader): void {
  assert(
    lease.deferUntil === null || commitIndex < firstOwnIndex,
    'a leader that defers has committed nothing of its own term',
    { lease, commitIndex, firstOwnIndex },
  )
  let previous = firstOwnIndex - 1
  for (const { first } of lease.appended) {
    assert(
      isWithin(first, previous + 1, lastIndex),
      'marks of a leader’s appends rise within [firstOwnIndex, lastIndex]',
      { lease, firstOwnIndex, lastIndex },
    )
    previous = first
  }
}

function checkReads(state: RaftState): void {
  const { reads, role, commitIndex } = state
  if (reads === NO_READS) return
  const { waiting, round } = reads
  assert(leaderOf(state) !== null, 'reads wait where a leader is known', { reads })
  assert(new Set(waiting.map(({ node }) => node)).size === waiting.length, 'at most one read of a node waits', {
    waiting,
  })
  if (round === null) return
  assert(role.kind === 'leader', 'a round of reads is a leader’s', { round })
  const { firstOwnIndex, sequence } = role
  // Of a round that began in a deferral it is the end of limbo.
  assert(
    isWithin(round.index, firstOwnIndex - 1, Math.max(commitIndex, firstOwnIndex - 1)),
    'a round’s index lies in [firstOwnIndex − 1, max(commitIndex, firstOwnIndex − 1)]',
    { round, firstOwnIndex, commitIndex },
  )
  assert(isWithin(round.sequence, 0, sequence), 'a round’s sequence lies in [0, the leader’s sequence]', {
    round,
    sequence,
  })
}

function checkProgress(state: RaftState, leader: Leader, follower: { id: NodeId; progress: Progress }): void {
  const { matchIndex, nextIndex, inFlight, mode, voted, answered, followed } = follower.progress
  assert(
    isWithin(nextIndex, matchIndex + 1, state.lastIndex + 1),
    'nextIndex lies in [matchIndex + 1, lastIndex + 1]',
    follower,
  )
  assert(isWithin(answered, 0, leader.sequence), 'answered lies in [0, the leader’s sequence]', follower)
  assert(isWithin(followed, 0, answered), 'followed lies in [0, answered]', follower)
  assert(
    inFlight.length <= state.config.inFlightMessagesMax,
    'the number of messages in flight lies in [0, inFlightMessagesMax]',
    follower,
  )
  let reached: number = matchIndex
  for (const message of inFlight) {
    assert(
      isWithin(message.lastIndex, reached + 1, state.lastIndex),
      'the lastIndex of messages in flight rises within [matchIndex + 1, lastIndex]',
      follower,
    )
    reached = message.lastIndex
  }
  if (mode === 'probe') {
    assert(
      inFlight.length <= 1 || (voted && nextIndex === leader.firstOwnIndex),
      'in probe mode, the number of messages in flight lies in [0, 1], unless it voted and nextIndex is firstOwnIndex',
      follower,
    )
  } else if (mode === 'snapshot') {
    assert(
      inFlight.length === 0 && isWithin(nextIndex, matchIndex + 1, state.trail.snapshotIndex),
      'in snapshot mode, no message is in flight, and nextIndex lies in [matchIndex + 1, trail.snapshotIndex]',
      follower,
    )
  } else {
    assert(
      nextIndex === reached + 1,
      'in replicate mode, nextIndex is one above the newest lastIndex in flight, or above matchIndex',
      follower,
    )
  }
}

/** True when `value` lies in `[low, high]`. */
function isWithin(value: number, low: number, high: number): boolean {
  return low <= value && value <= high
}

/**
 * Throws AssertionError when a step broke one of the rules between two states that `step` (step.ts) lists, in the words of
 * that list. PERF: O(1) when the log did not change, else O(runs).
 */
export function checkTransition(previous: RaftState, next: RaftState): void {
  assert(next.currentTerm >= previous.currentTerm, 'currentTerm never falls', terms(previous, next))
  assert(next.commitIndex >= previous.commitIndex, 'commitIndex never falls', {
    previous: previous.commitIndex,
    next: next.commitIndex,
  })
  const issued = next.disk.lastWrite - previous.disk.lastWrite
  assert(issued === 0 || issued === 1, 'a step issues at most one write', { issued })
  assert(next.disk.durableWrite >= previous.disk.durableWrite, 'disk.durableWrite never falls', { disk: next.disk })
  if (next.currentTerm === previous.currentTerm) checkSameTerm(previous, next)
  else assert(issued === 1, 'the step that adopts a new term issues a write', terms(previous, next))
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
    const anew = after.since > before.since
    // To 0 where a follower lost its log (obligation.ts).
    const rises = anew || after.matchIndex >= before.matchIndex || after.matchIndex === 0
    assert(rises, 'a leader’s matchIndex never falls, but of a member that begins anew, or to 0', { id, before, after })
  }
}

/** The entries that the step had to leave alone: paper Figure 3, Leader Append-Only, and raft.md §2.3. */
function checkPrefix(previous: RaftState, next: RaftState): void {
  const leads = previous.role.kind === 'leader' && next.role.kind === 'leader'
  const kept = leads ? previous.lastIndex : previous.commitIndex
  assert(next.lastIndex >= kept, 'no entry of [1, commitIndex], and none of a leader’s [1, lastIndex], is removed', {
    kept,
    lastIndex: next.lastIndex,
  })
  for (const run of runsBetween(previous.trail, previous.trail.snapshotIndex, kept)) {
    if (run.last < next.trail.snapshotIndex) continue
    const first = run.first > next.trail.snapshotIndex ? run.first : next.trail.snapshotIndex
    const same = trailTermAt(next.trail, first) === run.term && trailTermAt(next.trail, run.last) === run.term
    assert(same, 'no entry of [1, commitIndex], and none of a leader’s [1, lastIndex], changes its term', {
      run,
      trail: next.trail,
    })
  }
}

function terms(previous: RaftState, next: RaftState): Record<string, unknown> {
  return {
    previous: { term: previous.currentTerm, votedFor: previous.votedFor },
    next: { term: next.currentTerm, votedFor: next.votedFor },
  }
}

import type { Catcher, Mutant } from '../mutant.ts'

const caught = (theme: string): Catcher => ({ kind: 'tests', files: [`test/raft/foreign/${theme}.test.ts`] })

const SNAPSHOT = caught('snapshot')
const READS = caught('reads')

/** Published bugs of other systems, planted (docs/testing.md): snapshots and reads. */
export const FOREIGN_SERVICE: readonly Mutant[] = [
  {
    id: 'foreign/conflict-at-snapshot-kept',
    breaks: 'an own entry of another term stays where the snapshot ends',
    file: 'src/raft/install-snapshot.ts',
    find: '  if (trailTermAt(state.trail, index) === term) turn.commit(index)\n  else turn.restart',
    replace: '  if (trailTermAt(state.trail, index) !== null) turn.commit(index)\n  else turn.restart',
    caughtBy: SNAPSHOT,
  },
  {
    id: 'foreign/chained-log-given-up',
    breaks: 'entries behind the snapshot go, although they belong there',
    file: 'src/raft/install-snapshot.ts',
    find: '  if (trailTermAt(state.trail, index) === term) turn.commit(index)\n  else turn.restart',
    replace: '  if (trailTermAt(state.trail, index) === null && index < 0) turn.commit(index)\n  else turn.restart',
    caughtBy: SNAPSHOT,
  },
  {
    id: 'foreign/short-log-not-restarted',
    breaks: 'a log that ends before the snapshot stays as it is',
    file: 'src/raft/install-snapshot.ts',
    find: '  else turn.restart({ index, term }, configurations)',
    replace: '  else if (index <= state.lastIndex) turn.restart({ index, term }, configurations)',
    caughtBy: SNAPSHOT,
  },
  {
    id: 'foreign/configuration-outlives-snapshot',
    breaks: 'a configuration that a snapshot has passed over stays in force',
    file: 'src/raft/turn.ts',
    find: '      disk: withRestart(state.disk, last),\n      configurations,',
    replace:
      '      disk: withRestart(state.disk, last),\n      configurations: state.configurations.length > 1 ? state.configurations : configurations,',
    caughtBy: SNAPSHOT,
  },
  {
    id: 'foreign/older-snapshot-installed',
    breaks: 'a snapshot is installed over a log that has committed more',
    file: 'src/raft/install-snapshot.ts',
    find: '  if (index <= state.commitIndex) return\n  if (trailTermAt(state.trail, index) === term) turn.commit(index)',
    replace: '  if (trailTermAt(state.trail, index) === term && index > state.commitIndex) turn.commit(index)',
    caughtBy: SNAPSHOT,
  },
  {
    id: 'foreign/snapshot-offered-once',
    breaks: 'a follower that lost its pull is offered no snapshot any more',
    file: 'src/raft/replicate.ts',
    find: 'if (progress.nextIndex < firstIndexOf(turn.state)) outbox.setProgress(id, offerSnapshot(outbox, id, progress))',
    replace:
      "if (progress.mode === 'snapshot') continue\n    if (progress.nextIndex < firstIndexOf(turn.state)) outbox.setProgress(id, offerSnapshot(outbox, id, progress))",
    caughtBy: SNAPSHOT,
  },
  {
    id: 'foreign/snapshot-offered-in-a-loop',
    breaks: 'every answer to an offer is answered by an offer',
    file: 'src/raft/replicate.ts',
    find: "if (before.mode === 'snapshot') return before",
    replace: '',
    caughtBy: SNAPSHOT,
  },
  {
    id: 'foreign/probe-after-snapshot',
    breaks: 'a follower that has everything after a snapshot stays in probe mode',
    file: 'src/raft/append-entries-response.ts',
    find: 'const found = matched > progress.matchIndex || (matched + 1 >= progress.nextIndex && !waits)',
    replace: 'const found = matched > progress.matchIndex || (matched >= progress.nextIndex && !waits)',
    caughtBy: SNAPSHOT,
  },
  {
    id: 'foreign/read-before-own-term',
    breaks: 'a new leader answers reads by what it happens to know as committed',
    file: 'src/raft/read-index.ts',
    find: 'if (state.commitIndex < leader.firstOwnIndex) return',
    replace: '',
    caughtBy: READS,
  },
  {
    id: 'foreign/read-of-an-older-index',
    breaks: 'a read is told the index of the leader’s first entry',
    file: 'src/raft/read-index.ts',
    find: '{ index: state.commitIndex, sequence: leader.sequence, readers: waiting }',
    replace: '{ index: leader.firstOwnIndex, sequence: leader.sequence, readers: waiting }',
    caughtBy: READS,
  },
  {
    id: 'foreign/read-confirmed-by-old-answers',
    breaks: 'a read is confirmed by an answer to what was sent before it arrived',
    file: 'src/raft/read-index.ts',
    find: '(leader.progress.get(voter)?.answered ?? 0) > sequence',
    replace: '(leader.progress.get(voter)?.answered ?? 0) > 0 && sequence >= 0',
    caughtBy: READS,
  },
  {
    id: 'foreign/read-joins-running-round',
    breaks: 'a read joins the round that is under way',
    file: 'src/raft/read-index.ts',
    find: '  turn.state = { ...turn.state, reads: { ...reads, waiting } }',
    replace:
      '  const { round } = reads\n  turn.state = { ...turn.state, reads: round === null ? { ...reads, waiting } : { ...reads, round: { ...round, readers: [reader] } } }',
    caughtBy: READS,
  },
  {
    id: 'foreign/read-without-quorum',
    breaks: 'a leader takes its own word that it leads',
    file: 'src/raft/read-index.ts',
    find: '    if (voter === self) return true\n    return sequence !== null',
    replace: '    if (voter === self || sequence !== null) return true\n    return sequence !== null',
    caughtBy: READS,
  },
  {
    id: 'foreign/read-survives-leader-change',
    breaks: 'a read goes on waiting when the leader changes',
    file: 'src/raft/read-index.ts',
    find: 'if (leaderOf(state) !== leaderOf(before) || state.currentTerm !== before.currentTerm) return abandon(turn)',
    replace: 'if (leaderOf(state) !== leaderOf(before) || state.currentTerm !== before.currentTerm) return',
    caughtBy: READS,
  },
  {
    id: 'foreign/read-without-leader',
    breaks: 'a node that knows no leader answers by its own commit index',
    file: 'src/raft/read-index.ts',
    find: "if (leader === null) return turn.failRead(id, 'noLeader')",
    replace: 'if (leader === null) return turn.answerRead(id, state.commitIndex)',
    caughtBy: READS,
  },
]

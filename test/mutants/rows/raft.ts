import type { Mutant } from '../mutant.ts'

/** The core, under its own tests. */
export const RAFT: readonly Mutant[] = [
  {
    id: 'raft/prev-log-term-ignored',
    breaks: 'entries are appended after an entry of another term',
    file: 'src/raft/append-entries.ts',
    find: 'return trailTermAt(state.trail, request.prevLogIndex) === request.prevLogTerm',
    replace: 'return trailTermAt(state.trail, request.prevLogIndex) !== null',
    caughtBy: { kind: 'tests', files: ['test/raft/scripts.test.ts'] },
  },
  {
    id: 'raft/stale-term-counts-as-contact',
    breaks: 'a deposed leader that goes on sending holds off the election of the next one',
    file: 'src/raft/append-entries.ts',
    find: 'if (request.term < turn.state.currentTerm) return refuse(turn, from, request)',
    replace:
      'if (request.term < turn.state.currentTerm) { turn.state = { ...turn.state, heardLeaderAt: turn.now }; return refuse(turn, from, request) }',
    caughtBy: { kind: 'tests', files: ['test/raft/stale-term.test.ts'] },
  },
]

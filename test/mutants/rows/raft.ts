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
]

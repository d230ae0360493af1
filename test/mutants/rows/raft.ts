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
  {
    id: 'raft/vote-of-an-unnamed-disk',
    breaks: 'a node without a Configuration grants to a candidate without one',
    file: 'src/raft/check-vote.ts',
    find: 'return configurationOf(state) !== null || request.lastLogIndex > BEFORE_LOG',
    replace: 'return true',
    caughtBy: { kind: 'tests', files: ['test/raft/rules.test.ts'] },
  },
  {
    id: 'raft/old-greeting-counts',
    breaks: 'a greeting counts that was written before its sender knew this disk',
    file: 'src/node/peers/peers.ts',
    find: "const knowsThis = recipientInstance !== ''",
    replace: "const knowsThis = recipientInstance !== 'x'",
    caughtBy: { kind: 'tests', files: ['test/node/peers/peers.test.ts'] },
  },
  {
    id: 'raft/voters-disk-changes',
    breaks: 'a voter’s disk may be replaced between its vote and the Configuration that binds it',
    file: 'src/node/bootstrap.ts',
    find: 'return this.agreed ? this.instanceOf(id) : null',
    replace: 'return null',
    caughtBy: { kind: 'tests', files: ['test/node/peers/peers.test.ts'] },
  },
]

import type { Mutant } from '../../mutant.ts'

/** What a node owes whose log was damaged, under the tests of the core. */
export const OWED: readonly Mutant[] = [
  {
    id: 'raft/damaged-node-votes',
    breaks: 'a node that lost an entry helps to elect a leader that never had it',
    file: 'src/raft/check-vote.ts',
    find: "  if (!holdsOwed(state, lastOf(request))) return rejected('notVoter')\n  if (request.term <= state.currentTerm)",
    replace: '  if (request.term <= state.currentTerm)',
    caughtBy: { kind: 'tests', files: ['test/raft/scripts.test.ts'] },
  },
  {
    id: 'raft/census-ends-early',
    breaks: 'a node that lost its votes counts on the terms of some voters alone',
    file: 'src/raft/obligation.ts',
    find: '!others.every((voter) => known.includes(voter))',
    replace: 'known.length === 0',
    caughtBy: { kind: 'tests', files: ['test/raft/scripts.test.ts'] },
  },
  {
    id: 'raft/log-ends-of-different-times',
    breaks: 'a node takes answers that were never true at one moment for all that the voters have',
    file: 'src/raft/survey.ts',
    find: 'isSame(told.get(voter), survey.before?.get(voter))',
    replace: 'told.has(voter)',
    caughtBy: { kind: 'tests', files: ['test/raft/scripts.test.ts'] },
  },
  {
    id: 'raft/silent-voter-given-up',
    breaks: 'a node gives up what a voter that has not answered may have',
    file: 'src/raft/survey.ts',
    find: '  const others = askedBy(state)\n',
    replace: '  const others = askedBy(state).filter((voter) => told.has(voter))\n',
    caughtBy: { kind: 'tests', files: ['test/raft/leaders/damaged-disks.test.ts'] },
  },
  {
    id: 'raft/outgoing-voter-given-up',
    breaks: 'a node gives up what a voter that is going has, or counts without the term of one',
    file: 'src/raft/survey.ts',
    find: 'return votersOf(state).filter((voter) => voter !== state.config.self)',
    replace: 'return (configurationOf(state)?.voters ?? []).filter((voter) => voter !== state.config.self)',
    caughtBy: { kind: 'tests', files: ['test/raft/scripts.test.ts'] },
  },
]

import type { Catcher, Mutant } from '../../mutant.ts'

const SCRIPTS: Catcher = { kind: 'tests', files: ['test/raft/scripts.test.ts'] }
const ELECTIONS: Catcher = { kind: 'tests', files: ['test/raft/leaders/elections.test.ts'] }

/** Elections after the reset connection of a leader (raft.md §4), under the tests of the core. */
export const EVIDENCE: readonly Mutant[] = [
  {
    id: 'raft/start-without-hurry',
    breaks: 'who starts where nobody leads waits for an ordinary election timeout',
    file: 'src/raft/evidence.ts',
    find: 'hurry: { ...hurry, until: now + config.electionTimeoutMinMs } }',
    replace: 'hurry }',
    caughtBy: SCRIPTS,
  },
  {
    id: 'raft/start-beside-a-leader-asks-at-once',
    breaks: 'who starts beside a leader asks for pre-votes before it can be heard',
    file: 'src/raft/timer.ts',
    find: 'lost === null ? base + heartbeatMs : base',
    replace: 'base',
    caughtBy: SCRIPTS,
  },
  {
    id: 'raft/campaigner-forgets-who-opens',
    breaks: 'who campaigns asks a voter that it reaches at last only at its next timeout',
    file: 'src/raft/become.ts',
    find: '  if (!otherVoters(turn.state).includes(voter)) return\n',
    replace: '  if (otherVoters(turn.state).includes(voter)) return\n',
    caughtBy: SCRIPTS,
  },
  {
    id: 'raft/hurried-candidate-gives-up',
    breaks: 'a candidate gives its term up after a short wait, although nobody has refused',
    file: 'src/raft/become.ts',
    find: 'role.refused || turn.now >= role.giveUpAt',
    replace: 'turn.now >= 0',
    caughtBy: ELECTIONS,
  },
  {
    id: 'raft/refused-candidate-stays',
    breaks: 'a candidate that was refused stays one for an ordinary election timeout',
    file: 'src/raft/become.ts',
    find: 'role.refused || turn.now >= role.giveUpAt',
    replace: 'turn.now >= role.giveUpAt',
    caughtBy: SCRIPTS,
  },
  {
    id: 'raft/hurried-pre-votes-at-one-pace',
    breaks: 'who gets no answers to its pre-votes asks every few milliseconds',
    file: 'src/raft/timer.ts',
    find: '2 ** Math.min(asked, HURRIED_DOUBLINGS_MAX)',
    replace: '1',
    caughtBy: SCRIPTS,
  },
  {
    id: 'raft/one-behind-is-waited-for',
    breaks: 'who refuses a pre-vote for its shorter log waits for its own turn all the same',
    file: 'src/raft/pre-vote.ts',
    find: "  else if (verdict.reason === 'logBehind') heedPreVote(turn, from, 'behind')\n",
    replace: '',
    caughtBy: SCRIPTS,
  },
  {
    id: 'raft/granted-pre-vote-is-not-waited-for',
    breaks: 'who grants a pre-vote asks for the same term a moment later',
    file: 'src/raft/pre-vote.ts',
    find: "if (verdict.granted) heedPreVote(turn, from, isAsUpToDate(state, request) ? 'equal' : 'ahead')\n  else if",
    replace: 'if (verdict.granted) void isAsUpToDate(state, request)\n  else if',
    caughtBy: ELECTIONS,
  },
]

import type { Catcher, Mutant } from '../mutant.ts'

const WITHIN_300_SEEDS: Catcher = { kind: 'simulator', seeds: 300 }

/** Those of the thirty (`thirty.ts`) that no other suite plants. */
export const PROMISES: readonly Mutant[] = [
  {
    id: 'promises/vote-told-before-it-is-durable',
    breaks: 'the answer to a RequestVote does not wait for the vote to be on disk',
    file: 'src/raft/request-vote.ts',
    find: "turn.sendOnceDurable(to, { kind: 'requestVoteResponse'",
    replace: "turn.sendAtOnce(to, { kind: 'requestVoteResponse'",
    caughtBy: WITHIN_300_SEEDS,
  },
  {
    id: 'promises/reply-overtakes-an-earlier-write',
    breaks: 'a reply whose own step wrote nothing does not wait for the write of an earlier step that it speaks of',
    file: 'src/raft/turn.ts',
    find: 'const after = speaksOf === null ? null : writeHolding',
    replace:
      'const after = speaksOf === null || this.state.disk.lastWrite === this.before.disk.lastWrite ? null : writeHolding',
    caughtBy: WITHIN_300_SEEDS,
  },
  {
    id: 'promises/half-rounded-up-is-a-quorum',
    breaks: 'half of an even number of voters is a majority',
    file: 'src/raft/quorum.ts',
    find: 'return Math.floor(count / 2) + 1',
    replace: 'return Math.max(1, Math.ceil(count / 2))',
    caughtBy: WITHIN_300_SEEDS,
  },
  {
    id: 'promises/learner-counted',
    breaks: 'what a learner holds counts towards the majority of the voters',
    file: 'src/raft/quorum.ts',
    find: 'const incoming = reachedByMajority(voters, least, reached)',
    replace:
      'const incoming = descendingAt([...voters, ...(configuration?.learners ?? [])].map(reached), majority(voters.length)) ?? least\n' +
      '  function descendingAt(values: Value[], rank: number): Value | undefined {\n' +
      '    return values.sort((a, b) => b - a)[rank - 1]\n' +
      '  }',
    caughtBy: WITHIN_300_SEEDS,
  },
  {
    id: 'promises/applied-before-commit',
    breaks: 'a node applies all that its log holds as soon as anything is committed',
    file: 'src/node/turn/step-effects.ts',
    find: 'pipeline().commitSoon(() => raft().commitIndex)',
    replace: 'pipeline().commitSoon(() => raft().lastIndex)',
    caughtBy: WITHIN_300_SEEDS,
  },
  {
    id: 'promises/newest-response-for-any',
    breaks: 'a duplicate of an older request is answered with the newest response of its session',
    file: 'src/session/clients/response-cache.ts',
    find:
      '  const found = session.responses[session.responsePosition(requestId)]\n' +
      '  return found !== undefined && found.requestId === requestId ? found : null\n',
    replace:
      '  const found = session.responses[session.responsePosition(requestId)]\n' +
      '  return found !== undefined && found.requestId === requestId ? (session.responses.at(-1) ?? found) : null\n',
    caughtBy: WITHIN_300_SEEDS,
  },
  {
    id: 'promises/expiry-by-the-own-clock',
    breaks: 'each replica asks its own clock whether a session is overdue',
    file: 'src/session/entries/expire-sessions.ts',
    find: 'session.row.renewedLease + session.row.terms.timeoutMs > state.lease',
    replace: 'session.row.renewedLease + session.row.terms.timeoutMs > Date.now()',
    caughtBy: { kind: 'tests', files: ['test/session/clients/expiry.test.ts'] },
  },
  {
    id: 'promises/lease-without-end',
    breaks: 'a leader that held a lease does not look at its clock again, however long it was paused or cut off',
    file: 'src/raft/lease.ts',
    find: 'newest.first > lease.releasedTo && now < newest.at + coveredMs(terms)',
    replace: 'newest.first > lease.releasedTo && (now, coveredMs(terms)) >= 0',
    caughtBy: { kind: 'tests', files: ['test/raft/leaders/lease.test.ts', 'test/raft/scripts.test.ts'] },
  },
]

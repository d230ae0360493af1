import type { Catcher, Mutant } from '../mutant.ts'

const WITHIN_300_SEEDS: Catcher = { kind: 'simulator', seeds: 300 }

/** What the simulator itself must find (faults.md §3). `npm run test:faults` plants these in each of its runs. */
export const SIMULATOR: readonly Mutant[] = [
  {
    id: 'simulator/vote-not-persisted',
    breaks: 'the vote is not persisted',
    file: 'src/node/propose/log-writes.ts',
    find: 'const hardState = effect.hardState ?? { currentTerm: raft.currentTerm, votedFor: raft.votedFor }',
    replace: 'const hardState = { currentTerm: raft.currentTerm, votedFor: null }',
    caughtBy: WITHIN_300_SEEDS,
  },
  {
    id: 'simulator/duplicate-executed-again',
    breaks: 'duplicates are executed again at apply',
    file: 'src/session/entries/client-request.ts',
    find: 'const cached = cachedResponse(session, requestId) // 6',
    replace: 'const cached = requestId < 0 ? cachedResponse(session, requestId) : null // 6',
    caughtBy: WITHIN_300_SEEDS,
  },
  {
    id: 'simulator/vote-without-log-check',
    breaks: 'a vote is granted without the up-to-date check',
    file: 'src/raft/check-vote.ts',
    find: 'return request.lastLogIndex >= state.lastIndex',
    replace: 'return true',
    caughtBy: WITHIN_300_SEEDS,
  },
  {
    id: 'simulator/reply-before-write',
    breaks: 'a reply does not wait for its write',
    file: 'src/raft/turn.ts',
    find: 'this.outgoing.push({ to, message, speaksOf: entriesUpTo })',
    replace: 'this.outgoing.push({ to, message, speaksOf: entriesUpTo < 0 ? entriesUpTo : null })',
    caughtBy: WITHIN_300_SEEDS,
  },
  {
    id: 'simulator/acknowledged-request-sent-again',
    breaks: 'a server request is sent again while its acknowledgement is on its way to the log',
    file: 'src/gateway/gateway-acks.ts',
    find: '    delivery.release(upTo)\n',
    replace: '',
    caughtBy: WITHIN_300_SEEDS,
  },
  {
    id: 'simulator/earlier-term-committed-by-counting',
    breaks: 'an entry of an earlier term is committed by counting (figure 8)',
    file: 'src/raft/commit.ts',
    find: '  if (index < role.firstOwnIndex) return false\n',
    replace: '',
    caughtBy: WITHIN_300_SEEDS,
  },
  {
    id: 'simulator/applied-trail-one-entry-off',
    breaks: 'the applied trail notes a state under the index of the next entry',
    file: 'src/node/apply/applied-witness.ts',
    find: 'this.ports.trail.append({ index, hash',
    replace: 'this.ports.trail.append({ index: index + 1, hash',
    caughtBy: WITHIN_300_SEEDS,
  },
]

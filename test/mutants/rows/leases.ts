import type { Catcher, Mutant } from '../mutant.ts'

const LEASES: Catcher = { kind: 'tests', files: ['test/raft/leaders/lease.test.ts'] }
const SCRIPTS: Catcher = { kind: 'tests', files: ['test/raft/scripts.test.ts'] }

/** Reads without a round (lease-reads.md). */
export const LEASE_MUTANTS: readonly Mutant[] = [
  {
    id: 'leases/nothing-deferred',
    breaks: 'a new leader commits while the one before may answer by its lease',
    file: 'src/raft/lease.ts',
    find: 'return lease.deferUntil !== null && now < lease.deferUntil',
    replace: 'return false',
    caughtBy: LEASES,
  },
  {
    id: 'leases/clocks-trusted',
    breaks: 'a deferral leaves no room for clocks that differ',
    file: 'src/raft/lease.ts',
    find: '(lease.ms * (THOUSAND + lease.driftPermille)) / THOUSAND',
    replace: 'coveredMs(lease)',
    caughtBy: SCRIPTS,
  },
  {
    id: 'leases/inherited-from-the-election',
    breaks: 'an inherited lease is counted from an election that a later leader’s may have come before',
    file: 'src/raft/lease.ts',
    find: 'startedAt + coveredMs(terms)',
    replace: 'now + coveredMs(terms)',
    caughtBy: LEASES,
  },
  {
    id: 'leases/limbo-left-out',
    breaks: 'an inherited lease answers without what the leader before may have committed',
    file: 'src/raft/read-index.ts',
    find: 'return commitIndex < firstOwnIndex ? indexBefore(firstOwnIndex) : commitIndex',
    replace: 'return commitIndex',
    caughtBy: LEASES,
  },
  {
    id: 'leases/answers-after-release',
    breaks: 'a leader that has handed over goes on answering by its lease',
    file: 'src/raft/lease.ts',
    find: 'newest.first > lease.releasedTo && ',
    replace: '',
    caughtBy: SCRIPTS,
  },
  {
    id: 'leases/released-for-ever',
    breaks: 'a late request to lead releases a lease that began since',
    file: 'src/raft/transfer.ts',
    find: 'released: releases === state.lastIndex',
    replace: 'released: releases !== undefined',
    caughtBy: LEASES,
  },
  {
    id: 'leases/transfer-timed-from-the-request',
    breaks: 'a transfer that is asked for while nothing can be committed times out before it may begin',
    file: 'src/raft/transfer.ts',
    find: 'beginTransfer(turn, target, deferringUntil(role, turn.now))',
    replace: 'beginTransfer(turn, target, turn.now)',
    caughtBy: SCRIPTS,
  },
]

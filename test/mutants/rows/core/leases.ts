import type { Catcher, Mutant } from '../../mutant.ts'

const LEASES: Catcher = { kind: 'tests', files: ['test/raft/leaders/lease.test.ts'] }
const LIMBO: Catcher = {
  kind: 'tests',
  files: ['test/session/limbo/limbo-trial.test.ts', 'test/session/limbo/limbo-queries.test.ts'],
}
const TRACKER: Catcher = { kind: 'tests', files: ['test/node/reads/limbo-tracker.test.ts'] }
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
  {
    id: 'leases/limbo-forgets-deletes',
    breaks: 'a row that an entry in limbo deletes is not among those that it may write',
    file: 'src/session/rows/overlay-rows.ts',
    find: '    this.written.add(key)\n    this.own.delete(key)\n',
    replace: '    this.own.delete(key)\n',
    caughtBy: LIMBO,
  },
  {
    id: 'leases/limbo-forgets-ranges',
    breaks: 'a query is answered although a row of its range may be written',
    file: 'src/session/limbo/limbo-rows.ts',
    find: 'return next !== undefined && next < to',
    replace: 'return next !== undefined && next === from',
    caughtBy: LIMBO,
  },
  {
    id: 'leases/limbo-forgets-the-clock',
    breaks: 'a query tells a time before one that somebody was told',
    file: 'src/session/queries/queries.ts',
    find: 'return this.limbo.now > this.seen.now ? this.state.touch() : this.seen.now',
    replace: 'return this.seen.now',
    caughtBy: LIMBO,
  },
  {
    id: 'leases/limbo-of-what-is-known',
    breaks: 'entries of which nobody can tell what they write are taken to write what those before them do',
    file: 'src/session/limbo/limbo-trial.ts',
    find: '    if (this.refused !== null) return null\n',
    replace: '',
    caughtBy: LIMBO,
  },
  {
    id: 'leases/limbo-without-timers',
    breaks: 'what a timer writes that is due in limbo is forgotten',
    file: 'src/session/limbo/limbo-trial.ts',
    find: "return this.state.timers.isDue(Math.max(this.state.now, entry.now)) ? 'timer' : null",
    replace: 'return null',
    caughtBy: LIMBO,
  },
  {
    id: 'leases/limbo-of-another-leader',
    breaks: 'what the entries of one leader write is held against reads of the next',
    file: 'src/node/reads/limbo-tracker.ts',
    find: '    this.work = null\n    this.known = null\n',
    replace: '    this.work = null\n',
    caughtBy: TRACKER,
  },
]

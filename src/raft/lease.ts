import { BEFORE_LOG, indexAfter, type LogIndex, type Millis } from '../base/brand.ts'
import { replicate } from './replicate.ts'
import { type Candidate, type Leader, type LeaderLease, leavesOffice, type RaftState } from './state.ts'
import type { Turn } from './turn.ts'
import type { LeaseTerms } from './types.ts'

/*
 * Reads without a round: LeaseGuard (arXiv 2512.15659). Δ and ε are those of the terms. Every clock keeps time within a share
 * ε of it, so that Δ · (1 − ε) on one is over before Δ · (1 + ε) on another that began no earlier.
 *
 * - A leader holds a lease while its newest committed entry of its own term was appended less than Δ · (1 − ε) ago.
 * - Whoever is elected has the vote of a node that had acknowledged that entry, so its election is later than the append. It
 *   commits nothing of its own term before Δ · (1 + ε) after it: until then nothing is committed that the other does not know.
 * - Until Δ · (1 − ε) after its candidacy began it answers reads itself, with what earlier leaders may have committed. Whoever
 *   is elected next has the vote of one of its voters, given later, and its deferral ends later.
 *
 * Elections are as without leases: a clock that is wrong can make a read stale, and loses no write.
 */

const THOUSAND = 1000

/** Appends within this share of a lease have one mark: it makes the lease of the later ones shorter by as much at most. */
const MARKS_PER_LEASE = 16

/** An idle leader that is read from appends an entry once the newest one is older than this share of a lease. */
const RENEW_SHARE = 0.5

/**
 * Terms on which this node may answer by a lease: the shortest of those that may be in force. Null unless the last
 * configuration that is known to be committed has them, and all after it: who is elected without such an entry does not defer.
 */
function termsInForce({ configurations, commitIndex }: RaftState): LeaseTerms | null {
  const first = configurations[0]
  if (first === undefined || first.index > commitIndex) return null
  let least: LeaseTerms | null = null
  for (const { configuration } of configurations) {
    const { lease } = configuration
    if (lease === undefined) return null
    if (least === null || coveredMs(lease) < coveredMs(least)) least = lease
  }
  return least
}

/** For how long, by its own clock, a leader defers: the longest of the terms that may be in force; 0: no leader has leases. */
function deferralMs({ configurations }: RaftState): Millis {
  return configurations.reduce((longest, { configuration: { lease } }) => {
    return lease === undefined ? longest : Math.max(longest, (lease.ms * (THOUSAND + lease.driftPermille)) / THOUSAND)
  }, 0)
}

/** For how long, by its own clock, a lease on these terms lasts at most. */
function coveredMs({ ms, driftPermille }: LeaseTerms): Millis {
  return (ms * (THOUSAND - driftPermille)) / THOUSAND
}

/**
 * Leases as a leader finds them that is elected now. One to whom the leader of the term before has released its own neither
 * defers nor inherits.
 */
export function newLease(state: RaftState, { startedAt, released }: Candidate, now: Millis): LeaderLease {
  const deferMs = released ? 0 : deferralMs(state)
  const terms = deferMs === 0 ? null : termsInForce(state)
  return {
    appended: [],
    deferUntil: deferMs === 0 ? null : now + deferMs,
    // Not from when an entry was received, nor from the election, which later leaders are not sure to come after:
    //   1. n2 asks n1 and n3 for their votes, and n1 gives it. n3 is elected in the next term, with the vote of n1.
    //   2. Only now n2 hears of the vote of n1 and is elected. n3 commits when Δ has passed since its own election.
    inheritedUntil: terms === null ? null : startedAt + coveredMs(terms),
    releasedTo: BEFORE_LOG,
  }
}

/** True while the leader commits nothing of its own term, because an earlier one may answer by its lease. */
export function isDeferring({ lease }: Leader, now: Millis): boolean {
  return lease.deferUntil !== null && now < lease.deferUntil
}

/** When a leader's deferral is over, monotonic ms: `now` where it is. */
export function deferringUntil({ lease }: Leader, now: Millis): Millis {
  return Math.max(now, lease.deferUntil ?? now)
}

/** Ends a deferral whose time is over; says whether it did. */
export function maybeEndDeferral(turn: Turn): boolean {
  const { role } = turn.state
  if (role.kind !== 'leader' || role.lease.deferUntil === null || isDeferring(role, turn.now)) return false
  turn.state = { ...turn.state, role: { ...role, lease: { ...role.lease, deferUntil: null } } }
  return true
}

/** True while the newest committed entry of this leader's own term is young enough. */
export function holdsLease(state: RaftState, { lease }: Leader, now: Millis): boolean {
  const terms = termsInForce(state)
  if (terms === null) return false
  const newest = lease.appended.findLast(({ first }) => first <= state.commitIndex)
  return newest !== undefined && newest.first > lease.releasedTo && now < newest.at + coveredMs(terms)
}

/** True while a new leader may answer by what earlier leases cover. Once it has committed an own entry it has its own. */
export function inheritsLease(state: RaftState, { lease, firstOwnIndex }: Leader, now: Millis): boolean {
  const { inheritedUntil } = lease
  return inheritedUntil !== null && now < inheritedUntil && state.commitIndex < firstOwnIndex
}

/** True while this node leads and would answer a read without asking anybody, by a lease of its own or one that it inherits. */
export function answersByLease(state: RaftState, now: Millis): boolean {
  const { role } = state
  return role.kind === 'leader' && (holdsLease(state, role, now) || inheritsLease(state, role, now))
}

/**
 * At the end of every step, while there are leases: notes when a leader appended, which is before anybody else sees the entry.
 * Without leases no entry has a mark: one that was appended before they were in force is no ground for one either.
 */
export function noteAppended(turn: Turn, before: RaftState): void {
  const { state, now } = turn
  const { role, lastIndex, commitIndex } = state
  if (role.kind !== 'leader' || lastIndex === before.lastIndex) return
  const terms = termsInForce(state)
  if (terms === null) return
  const { appended } = role.lease
  const newest = appended.at(-1)
  if (newest !== undefined && newest.first > commitIndex && now - newest.at < terms.ms / MARKS_PER_LEASE) return
  const newestCommitted = appended.findLast(({ first }) => first <= commitIndex)
  const kept = appended.filter((mark) => mark.first > commitIndex || mark === newestCommitted)
  const young = kept.filter(({ at }) => now - at < terms.ms)
  const mark = { first: indexAfter(before.lastIndex), at: now }
  turn.state = { ...state, role: { ...role, lease: { ...role.lease, appended: [...young, mark] } } }
}

/**
 * A leader that is read from keeps its lease: with nothing under way that would be a ground for one, it appends an entry, in
 * time for that to be committed before the lease is over.
 */
export function maybeRenewLease(turn: Turn): void {
  const { state, now } = turn
  const { role, lastIndex, commitIndex, currentTerm, halted } = state
  if (role.kind !== 'leader' || commitIndex < lastIndex || role.transfer !== null) return
  if (halted || leavesOffice(state)) return
  const terms = termsInForce(state)
  if (terms === null) return
  const newest = role.lease.appended.at(-1)
  const fresh = newest !== undefined && newest.first > role.lease.releasedTo
  if (fresh && now - newest.at < terms.ms * RENEW_SHARE) return
  const index = indexAfter(lastIndex)
  const source = { kind: 'created', entryKind: 'noop' } as const
  turn.append([{ first: index, last: index, term: currentTerm, source }])
  noteAppended(turn, state)
  replicate(turn, null)
}

/**
 * This leader asks another to lead, and from now on answers no read by a lease from the entries that it has: only one that it
 * appends and commits later, if it goes on, is a ground for one, and who campaigns with a log that ends here has no such entry.
 * Returns the end of its log; null where it has nothing to release, or earlier leases may not be over yet: before its own first
 * commit.
 */
export function release(turn: Turn): LogIndex | null {
  const { state } = turn
  const { role, lastIndex, commitIndex } = state
  if (role.kind !== 'leader' || deferralMs(state) === 0 || commitIndex < role.firstOwnIndex) return null
  turn.state = { ...state, role: { ...role, lease: { ...role.lease, releasedTo: lastIndex } } }
  return lastIndex
}

/** One of the bugs that every consensus system must be shown not to have. */
export interface Numbered {
  /** In [1, 30]. */
  readonly number: number
  /** In the words that the field has for it. */
  readonly bug: string
  /** The planted bug that is this one here. */
  readonly id: string
}

const BUGS: readonly (readonly [bug: string, id: string])[] = [
  ['vote not persisted', 'simulator/vote-not-persisted'],
  ['vote reply before the vote is durable', 'promises/vote-told-before-it-is-durable'],
  ['append acknowledged before fsync', 'foreign/memory-acknowledged'],
  ['a later reply overtakes an earlier fsync in flight', 'promises/reply-overtakes-an-earlier-write'],
  ['leader counts itself before its own fsync', 'explorer/leader-counts-itself-before-its-disk'],
  ['earlier-term entries committed by counting (figure 8)', 'simulator/earlier-term-committed-by-counting'],
  ['prevLogTerm ignored', 'raft/prev-log-term-ignored'],
  ['suffix truncated on any append, stale ones too', 'foreign/matching-entries-deleted'],
  ['a rejection moves matchIndex', 'foreign/hint-is-match'],
  ['last index acknowledged instead of the last matched one', 'explorer/last-index-acknowledged'],
  ['follower’s commit without the minimum', 'foreign/commit-beyond-log'],
  ['vote without the up-to-date check', 'simulator/vote-without-log-check'],
  ['votes counted from an old term', 'foreign/vote-of-an-older-term'],
  ['quorum is ⌈n/2⌉', 'promises/half-rounded-up-is-a-quorum'],
  ['configuration effective at commit', 'raft/configuration-in-force-at-commit'],
  ['change of members before an own-term commit', 'raft/change-before-own-term'],
  ['learner counted', 'promises/learner-counted'],
  ['apply before commit', 'promises/applied-before-commit'],
  ['deduplication table missing from the snapshot', 'benchmark/responses-not-restored'],
  ['deduplication at propose only', 'simulator/duplicate-executed-again'],
  ['an older duplicate answered with the newest response', 'promises/newest-response-for-any'],
  ['expiry by each replica’s clock', 'promises/expiry-by-the-own-clock'],
  ['an expired session silently created again', 'sessions/late-copy-opens-again'],
  ['an older snapshot over a newer log', 'foreign/older-snapshot-installed'],
  ['install not atomic', 'storage/install-not-atomic'],
  ['log deleted before the snapshot is durable', 'node/log-goes-before-its-snapshot'],
  ['read without a quorum round', 'simulator/read-without-round'],
  ['lease not checked again after a pause', 'promises/lease-without-end'],
  ['read before the own-term no-op', 'raft/read-before-own-entry'],
  ['fsync error swallowed', 'storage/failed-sync-acknowledged'],
]

/** The thirty bugs of faults.md §3, in its order: each is one row of the table of planted bugs. */
export const THIRTY: readonly Numbered[] = BUGS.map(([bug, id], at) => ({ number: at + 1, bug, id }))

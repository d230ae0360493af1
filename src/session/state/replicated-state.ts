import type { Millis } from '../../base/brand.ts'
import { PagedList } from '../../base/paged-list.ts'
import type { Limits, LimitsRow } from '../../codec/entry/payload.ts'
import type { RunningHash } from '../../codec/value/running-hash.ts'
import type { SessionCodec } from '../../codec/session-codec.ts'
import { AuditLog } from '../tables/audit-log.ts'
import { Alerts } from '../tables/alerts.ts'
import type { SessionRecord } from '../clients/session-record.ts'
import { LiveSessions } from '../clients/live-sessions.ts'
import { DeadLetters } from '../tables/dead-letters.ts'
import { Dictionary } from '../rows/dictionary.ts'
import { DirtySet } from '../rows/dirty-set.ts'
import { Expiry } from '../clients/expiry.ts'
import { metaRow } from './meta-row.ts'
import { OnceTable } from '../tables/once-table.ts'
import { OrderedKeys } from '../rows/ordered-keys.ts'
import { Principals } from '../tables/principals.ts'
import { FAMILY, RowKeys } from '../rows/row-keys.ts'
import type { SessionPage } from '../clients/session-page.ts'
import type { SessionRow } from '../rows/session-rows.ts'
import { Schedules } from '../schedules/schedules.ts'
import { Tasks } from '../tables/tasks.ts'
import { Timers } from '../tables/timers.ts'
import { ForgottenSubjects } from '../tables/forgotten-subjects.ts'
import { Tombstones } from '../tables/tombstones.ts'
import { Versions } from '../tables/versions.ts'
import { Waits } from '../tables/waits.ts'
import type { MachineReport } from '../machine-report.ts'
import type { RememberedPart } from '../skipped-parts.ts'
import type { DirtyRows } from '../dirty-rows.ts'

/**
 * Limits before entry 2 has set the replicated ones: nothing may open, nothing is a boundary. Real limits never come
 * from a build's defaults, or a later release would change what an old log means.
 */
export const LIMITS_BEFORE_ENTRY_TWO: Limits = {
  windowRequests: 0,
  cachedResponsesMax: 0,
  cachedBytesMax: 0,
  commandBytesMax: 0,
  responseBytesMax: 0,
  outboxCountMax: 0,
  outboxBytesMax: 0,
  sessionsMax: 0,
  sessionTimeoutMinMs: 0,
  sessionTimeoutMaxMs: 0,
  tombstoneMs: 0,
  mailboxMax: 0,
  taskLeasesMax: 0,
  taskQueueMs: 0,
  retentionMs: 0,
  ackTimeoutMs: 0,
  ackTimeoutMaxMs: 0,
  attemptsMax: 0,
  snapshotBytes: Number.MAX_SAFE_INTEGER,
}

const NONE: readonly never[] = []

export interface ReplicatedStateOptions {
  readonly group: number
  readonly report: (report: MachineReport) => void
}

/**
 * Everything that apply reads and writes: the dictionary, the tables over it, clocks, counters, and the running hash.
 *
 * Invariants, after every entry and after a restore; `checkReplicatedState` asserts this very list, in these words:
 *
 * - the running hash is two words in [0, 2^32)
 * - `bytesSinceBoundary` is in [0, `limits.snapshotBytes`]
 * - `skipped` names parts of entries in [1, index], by rising index
 * - both halves of the dictionary were swapped together, at an index in [0, index]
 * - the heap of timers holds exactly those of the rows, ordered by (dueAt, key), and each is found by its name
 * - the first timer is due in (now, ∞)
 * - `limits` is the value of its row; without one, the constant that stands before entry 2
 * - `versions` holds exactly what the rows of versions say
 * - the audit records kept are those numbered [`audit.first`, `audit.next`), and 1 ≤ first ≤ next
 * - `deadLetters` knows exactly the rows of dead letters, numbered in [1, `deadLetters.next`)
 * - `deadLetters` remembers of at most `MOVED_MAX` letters that they were moved, each once, and none is there
 *
 * Of each session:
 *
 * - a session is live, and found by its index, by its secret, and among those of its principal
 * - a session has no tombstone
 * - no mail waits for the principal of a session
 * - a session’s index is ≥ 1, its `renewedAtIndex` in [its index, index], its `epoch` 0 or in (its index, index], its
 *   `deliveredAt` ≤ index
 * - a session’s `renewedLease` is ≤ lease, its `resentAt` ≤ now
 * - cached responses rise by requestId within [floor, highest], and floor ≥ 1
 * - `cachedBytes` is the sum over the cached responses
 * - server requests rise by serverRequestId within (acknowledged, lastId], and 0 ≤ acknowledged ≤ lastId
 * - `previousId` is the id of the server request before, `tailId` that of the last; with none before, an id in
 *   [0, acknowledged]
 * - `outboxBytes` is the sum over the server requests
 * - `nextDeadline` is the earliest deadline of what waits, null without one
 * - `leases` counts the tasks leased to the session
 *
 * Of all sessions and tasks:
 *
 * - the workers of a role are the sessions that have it, each once, at the level of its leases, in the order of their
 *   indexes
 * - `heldRows` counts the cached responses and server requests of all sessions
 * - `shortestTimeout` is the least `timeoutMs` of a session, null without sessions
 * - the next expiry is the least lease at which a session is due, null without sessions
 * - `tasks.open` counts the tasks that are queued or leased
 * - every row of a task has its task
 *
 * Of each task:
 *
 * - a task is the value of its row, found by its `taskId`, and has a number in [1, `tasks.next`)
 * - a task is leased exactly when it has `assignedTo`, which names a live session, and `leaseUntil`
 * - a task is closed exactly when it has `closedAt` and `until`
 * - a task has a timer `lease` exactly while leased, `backoff` exactly while backing off, `queue` exactly while open and not
 *   leased
 *
 * Of waits:
 *
 * - waits and kept signals are exactly those of the rows, each of its key, in the order of their numbers in [1, `waits.next`)
 * - no key has both a waiter and a kept signal, and none is held that has neither
 * - a wait is found by its `waitId` and among those of its owner, which names a live session
 * - a wait has a timer `wait`, due at its `dueAt`, exactly when it has one
 * - no end of a wait is left to be delivered
 */
export class ReplicatedState {
  readonly group: number
  readonly codec: SessionCodec
  /** Never throws: who listens cannot disturb apply. */
  readonly report: (report: MachineReport) => void
  readonly keys: RowKeys
  /** Rows of the session layer, under their keys. */
  readonly dictionary = new Dictionary()
  /** Rows of user machines, under their keys without USER_PREFIX. Both are swapped at the same entries. */
  readonly userRows = new Dictionary(new OrderedKeys())
  readonly sessions = new LiveSessions()
  readonly expiry = new Expiry(this.sessions)
  readonly timers: Timers
  readonly tombstones: Tombstones
  readonly once: OnceTable
  readonly tasks: Tasks
  readonly principals: Principals
  readonly audit: AuditLog
  readonly alerts: Alerts
  readonly deadLetters: DeadLetters
  readonly hash: RunningHash = { high: 0, low: 0 }
  readonly versions: Versions
  readonly waits: Waits
  readonly schedules: Schedules
  readonly subjects: ForgottenSubjects

  /** Entry being applied, or applied last. */
  index = 0
  /** Leader-time clock of that entry; never falls. */
  lease: Millis = 0
  /** The only clock machines see: that entry's, or the logical time of a timer that fires before it; never falls. */
  now: Millis = 0
  incarnation = 0
  limits: LimitsRow = LIMITS_BEFORE_ENTRY_TWO
  /** Record bytes of log since the last snapshot boundary. */
  bytesSinceBoundary = 0
  /** Responses and server requests that sessions hold. */
  heldRows = 0
  /** Parts of entries that were not run, the newest last. */
  skipped: readonly RememberedPart[] = NONE

  /** Pages of the sessions that this boundary interval has changed. */
  private pages = new PagedList<SessionPage>()
  private delivered: number[] = []
  private endings: { session: number; reason: 'expired' | 'closed' }[] = []

  constructor(codec: SessionCodec, options: ReplicatedStateOptions) {
    this.codec = codec
    this.group = options.group
    this.report = unharmed(options.report)
    this.keys = new RowKeys(codec)
    this.timers = new Timers(this.dictionary, this.keys)
    this.tombstones = new Tombstones(this.dictionary, this.keys)
    this.once = new OnceTable(this.dictionary, this.keys)
    this.tasks = new Tasks(this.dictionary, this.keys)
    this.principals = new Principals(
      this.dictionary,
      this.keys,
      (principal) => this.sessions.ofPrincipal(principal) !== null,
    )
    this.audit = new AuditLog(this.dictionary, this.keys)
    this.alerts = new Alerts(this.dictionary, this.keys)
    this.deadLetters = new DeadLetters(this.dictionary, this.keys)
    this.versions = new Versions(this.dictionary, this.keys)
    this.waits = new Waits(this.dictionary, this.keys, this.timers)
    this.schedules = new Schedules(this)
    this.subjects = new ForgottenSubjects(this.dictionary, this.keys)
  }

  /** Rows of the whole state; the meta row is one, also before the first boundary. */
  get rows(): number {
    return this.dictionary.size + this.userRows.size + this.sessions.size + this.heldRows + 1
  }

  /**
   * The row of a session to change. Must come before any change of what the session holds: the first one of an interval
   * turns to a new page, so that the boundary's stays what it was.
   */
  draft(session: SessionRecord): SessionRow {
    const { generation } = this.dictionary
    if (session.page.generation !== generation) {
      session.page = session.page.next(generation)
      this.pages.push(session.page)
    }
    return session.page.row
  }

  /** Takes out what changed since the last boundary, O(1) (storage.md §4). */
  swap(): DirtyRows {
    const { dictionary, userRows, pages, keys } = this
    const { swappedAt } = dictionary
    const total = this.rows
    this.pages = new PagedList()
    const rows = dictionary.swap(this.index)
    const user = userRows.swap(this.index)
    const meta = { key: FAMILY.meta, value: metaRow(this) }
    return new DirtySet({ total, meta, rows, user, pages, keys, swappedAt })
  }

  /** Any sign of life renews (sessions.md §4). */
  renew(session: SessionRecord): SessionRow {
    const row = this.draft(session)
    row.renewedLease = this.lease
    row.renewedAtIndex = this.index
    return row
  }

  /** Puts a session on this entry's delivery list, once. */
  listForDelivery(session: SessionRecord): void {
    if (session.deliveredAt === this.index) return
    session.deliveredAt = this.index
    this.delivered.push(session.row.index)
  }

  /** Puts a session on this entry's list of those that ended. */
  listEnded(session: SessionRecord, reason: 'expired' | 'closed'): void {
    this.endings.push({ session: session.row.index, reason })
  }

  /** Hands over this entry's delivery and ending lists. */
  finishEntry(): { deliver: readonly number[]; ended: readonly { session: number; reason: 'expired' | 'closed' }[] } {
    const deliver = this.delivered
    const ended = this.endings
    if (deliver.length > 0) this.delivered = []
    if (ended.length > 0) this.endings = []
    return { deliver: deliver.length > 0 ? deliver : NONE, ended: ended.length > 0 ? ended : NONE }
  }
}

/** A listener whose errors end here: apply does the same whether somebody listens or not. */
function unharmed(report: (report: MachineReport) => void): (report: MachineReport) => void {
  return (told) => {
    try {
      report(told)
    } catch {
      // It was for people; there is nobody else to tell.
    }
  }
}

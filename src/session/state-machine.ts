import type { DirtyRows } from './dirty-rows.ts'
import type { LogIndex, Millis, SessionId } from '../base/brand.ts'
import type { ScheduleReader, TriedSchedule } from './schedule.ts'
import type { LimboRefusal } from './limbo/limbo-refusal.ts'
import type { Entry } from '../codec/entry/entry.ts'
import type { LimitsRow, SessionNumbers } from '../codec/entry/payload.ts'
import type { Value } from '../codec/value/value.ts'
import type { RowWatch } from './rows/row-watches.ts'
import type { DeadLetter, LetterOutcome } from './dead-letter.ts'
import type { MachineVersion, Outcome, ServerRequest, SessionInfo } from './user-machine.ts'

/** Codes of answers that mean "this copy was not executed" or "nothing changed" (sessions.md §3). */
export type RefusalCode =
  | 'SESSION_UNKNOWN'
  | 'SESSION_EXPIRED'
  | 'FENCED'
  | 'INVALID'
  | 'RESPONSE_EVICTED'
  | 'REQUEST_CONFLICT'
  | 'VERSION_CHANGED'
  | 'WINDOW_EXCEEDED'
  | 'OUT_OF_ORDER'
  | 'RESPONSE_BACKLOG'
  | 'INVALID_ACK'
  | 'OPEN_CONFLICT'
  | 'OPEN_TOO_LATE'
  | 'CLIENT_SESSION_CLOSED'
  | 'TOO_MANY_SESSIONS'
  | 'ATTACH_CONFLICT'
  | 'OPEN_REJECTED'
  | 'LIMITS_CHANGED'

/** What applying one entry answers to whoever proposed it. */
export type Reply =
  | { readonly kind: 'none' }
  /**
   * Executed, by the entry at `index`: a value, or the machine's rejection (MACHINE_ERROR among them). `replayed`: earlier, and
   * answered from the response cache. `invalidAck`: the ack that rode on the request named an id never given.
   */
  | {
      readonly kind: 'outcome'
      readonly outcome: Outcome
      readonly replayed: boolean
      readonly index: number
      readonly invalidAck: boolean
    }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly details: Value }
  | { readonly kind: 'opened'; readonly sessionId: SessionId; readonly existing: boolean }
  | {
      readonly kind: 'attached'
      readonly sessionId: SessionId
      readonly epoch: number
      /** Safe next requestId: max(highest + 1, floor). */
      readonly nextRequestId: number
      readonly acknowledged: number
      readonly timeoutMs: Millis
    }
  | { readonly kind: 'acknowledged'; readonly upTo: number }
  | { readonly kind: 'closed' }
  /** KeepAlive: which of the ids it named are alive, in order. */
  | { readonly kind: 'keptAlive'; readonly alive: readonly boolean[] }
  /** MoveDeadLetters: what came of each, in order. */
  | { readonly kind: 'moved'; readonly outcomes: readonly LetterOutcome[] }
  /** ScheduleNext: whether each step has changed something, in order. */
  | { readonly kind: 'scheduled'; readonly done: readonly boolean[] }
  /** ForgetSubject: which subject, as its digest in hex; `at`: of the entry that has forgotten it, this one or one before. */
  | { readonly kind: 'forgotten'; readonly subject: string; readonly at: number }

/** What the driver must do after one entry. Lists are empty arrays, shared, when there is nothing. */
export interface Applied {
  /** Of the entry. */
  readonly index: number
  readonly reply: Reply
  /** Sessions (by index) whose outbox grew or whose requests are to be sent again. */
  readonly deliver: readonly number[]
  /** Sessions that ended in this entry, and how. */
  readonly ended: readonly { readonly session: number; readonly reason: 'expired' | 'closed' }[]
  /** This entry is a snapshot boundary: the caller swaps the dirty rows before the next entry. */
  readonly boundary: boolean
}

/** An entry that is being applied in steps (`StateMachine.begin`). */
export interface EntryUnderway {
  /**
   * Does the next step, some 100 µs of work as a rule; null: there are more. Throws as `apply` does. How many are done at a
   * time, and what is read in between, changes nothing of what comes out.
   */
  step(): Applied | null
}

/** Leader time, ms: as a leader reads it now, and as it read it when it could first answer (`readySince` ≤ `lease`). */
export interface LeaderTime {
  readonly lease: Millis
  readonly readySince: Millis
}

/**
 * The port that node and gateway call (architecture.md §5); `SessionStateMachine` implements it. Besides a restore,
 * `apply` alone changes what is replicated; all else reads the state as of `appliedIndex`. Times are milliseconds of
 * leader time (`lease`) or of the wall clock (`now`), the two that stand in every entry (sessions.md §1).
 */
export interface StateMachine {
  /**
   * Applies the committed entry at `appliedIndex` + 1, whose record takes `recordBytes` of log. Never throws for bad input; an
   * error of the engine is thrown as EngineError, an entry that this build must not apply as ApplyHalt, which changes
   * nothing; from then on by every call (sessions.md §10). `skipped`: the parts of it that committed SkipEntry entries behind
   * it name, in their order; default none.
   */
  apply(entry: Entry, recordBytes: number, skipped?: readonly string[]): Applied
  /**
   * As `apply`, for a caller that has other things to do: an entry that may take long (a migration, sessions that expire, one
   * before which timers are due) is begun, and given back. Until its last step all that is read is the state before it, but for
   * the timers that have fired, and at the time of the newest of them; no other entry is applied.
   */
  begin(entry: Entry, recordBytes: number, skipped?: readonly string[]): Applied | EntryUnderway
  /** True while an entry is begun and not at its end. */
  readonly underway: boolean
  /**
   * False while some sessions of an ExpireSessions entry have ended and others have not: queries wait until it is at its end.
   * False also once an error of the engine has left an entry half applied.
   */
  readonly readable: boolean
  /** Index of the entry applied last; 0 before the first. */
  readonly appliedIndex: number
  /** The running hash over all that was applied, 16 hex digits (sessions.md §3, step 14). */
  stateHash(): string
  /** The replicated limits (sessions.md §9); nothing may open before the entry that sets them. */
  readonly limits: LimitsRow
  /** Earliest due time (`now` clock) of a durable timer, or null. */
  nextTimerDue(): Millis | null
  /** Earliest `lease` at which `overdueSessions` may name a session, for the leader that asked it last; or null. */
  nextExpiry(): Millis | null
  /** Shortest timeout of a live session, or null. */
  shortestTimeout(): Millis | null
  /**
   * At most `limit` sessions that a leader may expire, the earliest due first: the content of an ExpireSessions entry. They are
   * overdue, and have had their chance since this node began to lead (sessions.md §4).
   */
  overdueSessions(
    time: LeaderTime,
    limit: number,
  ): readonly { readonly index: number; readonly renewedAtIndex: number }[]
  /** Dirty read: are there server requests due for redelivery at `now` among these (attached) sessions? */
  retriesDue(now: Millis, sessions: Iterable<number>): boolean
  /** Earliest `now` at which retriesDue may turn true for those sessions, or null. */
  nextRetryDue(sessions: Iterable<number>): Millis | null
  /** Row of a live session as facts for the leader and the status page; null when unknown. */
  sessionFacts(index: number): SessionFacts | null
  /** For an operator: live sessions with an index above `index`, rising, at most `limit`. */
  sessionsAfter(index: number, limit: number): readonly SessionOverview[]
  /** One of them; null when no session with these numbers lives. */
  sessionOverview(numbers: SessionNumbers): SessionOverview | null
  /** For an operator: how a session ended; null while it lives, and once its tombstone is gone. */
  sessionEnd(numbers: SessionNumbers): SessionEnd | null
  /** For an operator: dead letters with a number above `after`, rising, at most `limit`. */
  deadLetters(after: number, limit: number): readonly DeadLetter[]
  /** Index of the entry that has forgotten a subject (`subjectDigest`, in hex); null: none has. */
  forgotten(subject: string): number | null
  /** How a session ended, for whoever has its secret; null while it lives, and for others and once its tombstone is gone. */
  endedSession(numbers: SessionNumbers, secretHash: Uint8Array): SessionEnd | null
  /** Outbox of a session above `after`, in id order, at most `limit`. */
  outbox(index: number, after: number, limit: number): readonly ServerRequest[]
  /** The schedules, for the leader's duties and for operators. */
  readonly schedules: ScheduleReader
  /** Response cached under a request id, for a duplicate answered from applied state. */
  cached(index: number, requestId: number): CachedOutcome | null
  /**
   * Answers a query from the applied state; what it throws is MACHINE_ERROR. With a `watch`, what it reads is noted there, in
   * place of what was: the watch is told when an entry writes any of it.
   */
  query(request: QueryRequest, watch?: RowWatch): Outcome
  /**
   * Notes what queries read. `touched` is called once after each run, while the entry is applied that changed what the run may
   * have read; it must only note that. `end` of the watch ends it.
   */
  watch(touched: () => void): RowWatch
  /**
   * Entries behind the one applied last are to be tried in order: what they may write. Nothing of it stays, and nobody hears of
   * it. Not while an entry is `underway`.
   */
  tryLimbo(): LimboTrial
  /**
   * As `query`, where everything before `limbo.first` is applied and nobody here knows which of the entries in limbo are
   * committed: the answer, which is then the same after any of them; null for a query that limbo touches.
   */
  queryInLimbo(request: QueryRequest, limbo: LimboRows): Outcome | null
  /**
   * What a command would do as the next entry; nothing of it stays, and nobody hears of it. `input` is decoded and of the
   * machine's active version, as the log would carry it. Not while an entry is `underway`.
   */
  tryCommand(command: TriedCommand): CommandTrial
  /** Takes out what changed since the last swap, O(1) (storage.md §4). After an entry that is a boundary. */
  swapDirty(): DirtyRows
  /** Loads a row of a snapshot into an empty machine, in any order; then `restored`. */
  restoreRow(key: string, value: Value): void
  /**
   * All rows are there: rebuilds what is derived from them. `position` is that of the snapshot; its clocks may be later. Throws
   * ApplyHalt, with everything restored, when this build lacks a machine that is active there.
   */
  restored(position: RestoredPosition): void
  /** A state to be loaded from another snapshot beside this one, which is what everybody sees until it takes over. */
  successor(): StateSuccessor
  /** For the status page: live sessions, rows of the whole state, open tasks, armed timers. */
  readonly counts: { sessions: number; rows: number; tasks: number; timers: number }
  /**
   * The version of a machine under which the next entry is applied (sessions.md §10); 0: the log has switched to other
   * machines, and not to this one.
   */
  activeVersion(machine: string): number
  /** False until the log's first AdvanceVersion entry: a new log, or one that an earlier build began. */
  readonly activated: boolean
  /** Session layer, kit and codec, which the log knows as machine `holdfast`. */
  readonly own: MachineStatus
  /** Every user machine that this build has or the log has switched to. */
  machines(): readonly MachineStatus[]
}

/** A query, decoded and of the machine's active version. */
export interface QueryRequest {
  readonly machine: string
  readonly query: string
  readonly input: Value
  /** Who asks, by index; null for an unbound query. */
  readonly session: number | null
}

/** Entries of limbo as they are tried (lease-reads.md, step 4), some 10 µs each. */
export interface LimboTrial {
  /** The next entry, in the order of the log. False: what it and those behind it write is not known; `refused` says why. */
  add(entry: Entry): boolean
  readonly refused: LimboRefusal | null
  /** What those that were added may write; null after one that was refused. */
  rows(): LimboRows | null
}

/**
 * The rows of user machines that the entries `[first, last]` may write, whichever prefix of them is committed: their keys, in
 * byte order, without `user/`. `now` is the log's clock after the last of them.
 */
export interface LimboRows extends Iterable<string> {
  readonly first: LogIndex
  readonly last: LogIndex
  readonly now: Millis
  /** Keys. */
  readonly size: number
  has(key: string): boolean
  /** Whether a key in [from, to) is among them. */
  meets(from: string, to: string): boolean
}

/** Where the rows come from: index and term of a snapshot's last entry, and clocks that may be later than its own. */
export interface RestoredPosition {
  readonly index: number
  readonly term: number
  readonly lease: Millis
  readonly now: Millis
}

/**
 * The state that takes a machine's place, with all that is derived from it. PERF: both are in memory until then.
 */
export interface StateSuccessor extends Pick<StateMachine, 'restoreRow' | 'stateHash'> {
  /**
   * All rows are there: the next step, of less than a millisecond, of what `restored` does at once. True while there is another
   * one; the last may throw ApplyHalt as that does.
   */
  restoreNext(position: RestoredPosition): boolean
  /** From now on the machine's state is this one, whatever it was. Between two entries, after the last step. */
  takeOver(): void
}

/** A machine as the log and this build know it, for status, snapshots and the leader's duties. */
export interface MachineStatus {
  readonly name: string
  /** As `activeVersion` says. */
  readonly active: number
  /** Schema that the log has named with the active version; null: none. */
  readonly schema: string | null
  /** What this build has of it, lowest version first; empty: nothing. */
  readonly supported: readonly MachineVersion[]
}

/** A cached response as a duplicate is answered from it. */
export interface CachedOutcome {
  readonly outcome: Outcome
  /** Entry that executed the command. */
  readonly entryIndex: number
  readonly hashHigh: number
  readonly hashLow: number
}

/** The end of a session. */
export type SessionEnd = {
  /** `now` of it. */
  readonly at: Millis
  readonly reason: 'expired' | 'closed'
  /** An operator has ended it, for this reason ('': none was said); absent: nobody did. */
  readonly note?: string
}

/** A live session as an operator sees it (sessions.md §2): neither its secret nor what its requests carry. */
export interface SessionOverview {
  readonly info: SessionInfo
  /** Log index of its OpenSession entry. */
  readonly index: number
  readonly epoch: number
  readonly ordered: boolean
  readonly timeoutMs: Millis
  /** `lease` at which it is due under the leader that asked last. */
  readonly dueAt: Millis
  readonly floor: number
  /** Highest requestId executed; 0: none. */
  readonly highest: number
  /** Responses kept for it, and their bytes. */
  readonly cached: number
  readonly cachedBytes: number
  /** Server requests that it has not acknowledged, and their bytes. */
  readonly waiting: number
  readonly waitingBytes: number
  readonly lastServerRequestId: number
  readonly acknowledged: number
  /** Tasks leased to it. */
  readonly leases: number
}

/** A command to try, in a session that is opened for it alone. */
export interface TriedCommand {
  readonly machine: string
  readonly command: string
  readonly input: Value
  readonly principal: string
  readonly roles: readonly string[]
  /** The log's clock as the entry would be stamped, at least that of the entry applied last. */
  readonly now: Millis
}

/** What a transaction asks for beside its writes and timers. */
export interface AskedEffects {
  readonly requests: readonly { readonly session: SessionId; readonly type: string; readonly payload: Value }[]
  readonly notifications: readonly { readonly principal: string; readonly topic: string; readonly body: Value }[]
  readonly tasks: readonly {
    readonly taskId: string
    readonly machine: string
    readonly kind: string
    readonly role: string
    readonly payload: Value
  }[]
  readonly cancelledTasks: readonly string[]
  /** They outlive a rejection. */
  readonly alerts: readonly { readonly alert: string; readonly details: Value }[]
}

/** What a command would have done as the entry at `index`, stamped with `now`. */
export interface CommandTrial extends AskedEffects {
  readonly index: number
  readonly now: Millis
  readonly outcome: Outcome
  /** What the machine threw, as one text; null: nothing. */
  readonly error: string | null
  /** Rows of machines, under their whole keys; undefined: no row. */
  readonly changes: readonly {
    readonly key: string
    readonly before: Value | undefined
    readonly after: Value | undefined
  }[]
  /** Armed for `dueAt`, or cancelled (null). */
  readonly timers: readonly {
    readonly machine: string
    readonly name: string
    readonly dueAt: Millis | null
    readonly payload: Value
  }[]
  readonly schedules: readonly TriedSchedule[]
}

/** What the leader and the status page need to know of a live session (sessions.md §2). */
export interface SessionFacts {
  readonly info: SessionInfo
  readonly epoch: number
  readonly secretHash: Uint8Array
  readonly floor: number
  readonly highest: number
  readonly acknowledged: number
  readonly lastServerRequestId: number
  readonly timeoutMs: Millis
  readonly renewedLease: Millis
  readonly renewedAtIndex: number
  readonly ordered: boolean
}

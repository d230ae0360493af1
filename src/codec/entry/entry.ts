import type { GroupId, LogIndex, Millis, Term } from '../../base/brand.ts'

/** Kinds of log entry (sessions.md §1), with their number on disk and wire. */
export const ENTRY_KINDS = {
  Noop: 1,
  Configuration: 2,
  Limits: 3,
  OpenSession: 4,
  AttachSession: 5,
  ClientRequest: 6,
  ServerRequestAck: 7,
  KeepAlive: 8,
  ExpireSessions: 9,
  CloseSession: 10,
  RetryServerRequests: 11,
  Tick: 12,
  Snapshot: 13,
  AdvanceVersion: 14,
  SkipEntry: 15,
  EvictSession: 16,
  MoveDeadLetters: 17,
  ScheduleNext: 18,
  ForgetSubject: 19,
} as const

export type EntryKind = keyof typeof ENTRY_KINDS

/** The decoded fixed-width header of an entry record (storage.md §2). */
export interface EntryHeader {
  readonly kind: EntryKind
  readonly group: GroupId
  readonly index: LogIndex
  readonly term: Term
  /** Leader-time clock, ms (sessions.md §1). */
  readonly lease: Millis
  /** Wall clock agreed by the log, ms since the Unix epoch. */
  readonly now: Millis
  readonly envelopeVersion: number
  readonly flags: number
  readonly payloadLength: number
  readonly checksum: number
  /** Running chain value of the log up to and including this entry: uint32. */
  readonly chain: number
}

/** An entry ready to apply: header fields and the payload bytes (a view, valid during the call). */
export interface Entry {
  readonly kind: EntryKind
  readonly index: LogIndex
  readonly term: Term
  readonly lease: Millis
  readonly now: Millis
  readonly payload: Uint8Array
}

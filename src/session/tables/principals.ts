import { assert } from '../../base/assert.ts'
import type { Millis } from '../../base/brand.ts'
import type { Value } from '../../codec/value/value.ts'
import type { Dictionary, Row } from '../rows/dictionary.ts'
import { Retention } from './retention.ts'
import { FAMILY, type RowKeys } from '../rows/row-keys.ts'

/** Notifications waiting in all mailboxes of a group; beyond it new ones for absent principals are dropped and counted. */
const MAILBOX_ROWS_MAX = 1_000_000

/** What is remembered of a principal beyond its sessions. */
export type PrincipalRow = {
  readonly principal: string
  /** Number of the last notification to it. */
  readonly seq: number
  /** Notifications its full mailbox has dropped. */
  readonly dropped: number
  /** Waiting notifications have seq in (seq of the first − 1, seq]; `waiting` of them are stored. */
  readonly waiting: number
  /** When the row and the mailbox may go; null: never (kinds other than `user:`, which alerts are sent to by kind). */
  readonly until: Millis | null
}

export type MailRow = {
  readonly topic: string
  readonly body: Value
  readonly seq: number
  readonly at: Millis
}

/** A principal known: its row, and where the dictionary has it, which every notification would look up again. */
interface Known {
  stored: Row
  row: { -readonly [Field in keyof PrincipalRow]: PrincipalRow[Field] }
}

/**
 * Principals known and their mailboxes. A principal of kind `user:` has a row only once it was notified, so that an idle
 * session stays one row, and loses it `retentionMs` after its last notification. While a session of it lives the row stays
 * longer: numbers never begin again for one that hears them.
 */
export class Principals {
  private readonly live = new Map<string, Known>()
  private readonly mail = new Map<string, MailRow[]>()
  private readonly retention = new Retention(
    (principal) => this.live.get(principal)?.row.until ?? null,
    (principal) => this.dropOrExtend(principal),
  )
  private waitingTotal = 0
  /** Until when a row stays that is looked at now, because a session of its principal lives. */
  private extendedTo: Millis = 0
  private readonly dictionary: Dictionary
  private readonly keys: RowKeys
  private readonly isLive: (principal: string) => boolean

  /** `isLive` tells whether a principal has a session. */
  constructor(dictionary: Dictionary, keys: RowKeys, isLive: (principal: string) => boolean) {
    this.dictionary = dictionary
    this.keys = keys
    this.isLive = isLive
  }

  /** Remembers for ever a principal whose kind is not `user:`. */
  remember(principal: string): void {
    if (principal.startsWith('user:') || this.live.has(principal)) return
    this.put({ principal, seq: 0, dropped: 0, waiting: 0, until: null })
  }

  /** Principals with a row whose name starts with `prefix`, in no particular order. */
  known(prefix: string): string[] {
    return [...this.live.keys()].filter((principal) => principal.startsWith(prefix))
  }

  find(principal: string): PrincipalRow | null {
    return this.live.get(principal)?.row ?? null
  }

  /**
   * Takes the next notification number of a principal. PERF: the row that this boundary interval wrote is changed in place;
   * no boundary has seen it.
   */
  nextSeq(principal: string, until: Millis): number {
    const known = this.live.get(principal)
    const kept = principal.startsWith('user:') ? until : null
    if (known === undefined) {
      this.put({ principal, seq: 1, dropped: 0, waiting: 0, until: kept })
      return 1
    }
    const { row, stored } = known
    const seq = row.seq + 1
    if (stored.generation !== this.dictionary.generation) {
      this.put({ ...row, seq, until: kept })
      return seq
    }
    const before = row.until
    row.seq = seq
    row.until = kept
    if (kept !== null && (before === null || kept < before)) this.retention.add(principal, kept)
    return seq
  }

  /** Puts a notification into the mailbox, dropping the oldest beyond `max`. `nextSeq` was called for it. */
  post(principal: string, mail: MailRow, max: number): void {
    const row = this.live.get(principal)?.row
    if (row === undefined) return
    if (max <= 0 || this.waitingTotal >= MAILBOX_ROWS_MAX) {
      this.put({ ...row, dropped: row.dropped + 1 })
      return
    }
    const waiting = this.mail.get(principal) ?? []
    waiting.push(mail)
    this.mail.set(principal, waiting)
    this.dictionary.set(this.mailKey(principal, mail.seq), mail)
    this.waitingTotal += 1
    let dropped = row.dropped
    while (waiting.length > max) {
      this.dropMail(principal, waiting.shift() as MailRow)
      dropped += 1
    }
    this.put({ ...row, dropped, waiting: waiting.length })
  }

  /** Empties the mailbox, oldest first. */
  flush(principal: string): readonly MailRow[] {
    const waiting = this.mail.get(principal)
    const row = this.live.get(principal)?.row
    if (waiting === undefined || row === undefined) return []
    for (const mail of waiting) this.dropMail(principal, mail)
    this.mail.delete(principal)
    this.put({ ...row, waiting: 0 })
    return waiting
  }

  /** Drops rows whose time is before `now`; those of principals with a session stay until `extendedTo`. */
  sweep(now: Millis, extendedTo: Millis): void {
    this.extendedTo = extendedTo
    this.retention.sweep(now)
  }

  /** Takes up a row that the dictionary was restored with. */
  restorePrincipal(key: string, row: PrincipalRow): void {
    const stored = this.dictionary.find(key)
    assert(stored !== undefined, 'a principal is restored after its row', { key })
    this.keep(stored, row)
  }

  private keep(stored: Row, row: PrincipalRow): void {
    this.live.set(row.principal, { stored, row })
    if (row.until !== null) this.retention.add(row.principal, row.until)
  }

  restoreMail(principal: string, mail: MailRow): void {
    const waiting = this.mail.get(principal) ?? []
    waiting.push(mail)
    waiting.sort((a, b) => a.seq - b.seq)
    this.mail.set(principal, waiting)
    this.waitingTotal += 1
  }

  private dropOrExtend(principal: string): void {
    const row = this.live.get(principal)?.row
    if (row === undefined || !this.isLive(principal)) {
      this.drop(principal)
      return
    }
    this.put({ ...row, until: this.extendedTo })
    this.retention.add(principal, this.extendedTo)
  }

  private drop(principal: string): void {
    for (const mail of this.mail.get(principal) ?? []) this.dropMail(principal, mail)
    this.mail.delete(principal)
    const known = this.live.get(principal)
    if (known === undefined) return
    this.live.delete(principal)
    this.dictionary.remove(known.stored)
  }

  private put(row: PrincipalRow): void {
    const { dictionary } = this
    const known = this.live.get(row.principal)
    if (known === undefined) {
      const key = this.keys.row(FAMILY.principal, row.principal)
      this.keep(dictionary.write(dictionary.place(key), row), row)
      return
    }
    const before = known.row.until
    known.row = row
    known.stored = dictionary.write(known.stored, row)
    if (row.until !== null && (before === null || row.until < before)) this.retention.add(row.principal, row.until)
  }

  private mailKey(principal: string, seq: number): string {
    return this.keys.row(FAMILY.mailbox, principal, seq)
  }

  private dropMail(principal: string, mail: MailRow): void {
    this.dictionary.delete(this.mailKey(principal, mail.seq))
    this.waitingTotal -= 1
  }
}

import type { Millis } from '../base/brand.ts'
import type { Value } from '../codec/types.ts'
import type { Dictionary } from './dictionary.ts'
import { Retention } from './retention.ts'
import { FAMILY, type RowKeys } from './row-keys.ts'

/** Notifications waiting in all mailboxes of a group; beyond it new ones for absent principals are dropped and counted. */
export const MAILBOX_ROWS_MAX = 1_000_000

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

/** A principal known: its row, and the key of that row, which every notification would build again. */
interface Known {
  readonly key: string
  row: PrincipalRow
}

/**
 * Principals known and their mailboxes. A principal of kind `user:` has a row only once it was notified, so that an idle
 * session stays one row, and loses it `retentionMs` after its last notification.
 */
export class Principals {
  private readonly live = new Map<string, Known>()
  private readonly mail = new Map<string, MailRow[]>()
  private readonly retention = new Retention(
    (principal) => this.live.get(principal)?.row.until ?? null,
    (principal) => this.drop(principal),
  )
  private waitingTotal = 0
  private readonly dictionary: Dictionary
  private readonly keys: RowKeys

  constructor(dictionary: Dictionary, keys: RowKeys) {
    this.dictionary = dictionary
    this.keys = keys
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

  /** Takes the next notification number of a principal. */
  nextSeq(principal: string, until: Millis): number {
    const row = this.live.get(principal)?.row
    const seq = (row?.seq ?? 0) + 1
    const kept = principal.startsWith('user:') ? until : null
    this.put({ principal, seq, dropped: row?.dropped ?? 0, waiting: row?.waiting ?? 0, until: kept })
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

  sweep(now: Millis): void {
    this.retention.sweep(now)
  }

  restorePrincipal(row: PrincipalRow): void {
    this.live.set(row.principal, { key: this.keys.row(FAMILY.principal, row.principal), row })
    if (row.until !== null) this.retention.add(row.principal, row.until)
  }

  restoreMail(principal: string, mail: MailRow): void {
    const waiting = this.mail.get(principal) ?? []
    waiting.push(mail)
    waiting.sort((a, b) => a.seq - b.seq)
    this.mail.set(principal, waiting)
    this.waitingTotal += 1
  }

  private drop(principal: string): void {
    for (const mail of this.mail.get(principal) ?? []) this.dropMail(principal, mail)
    this.mail.delete(principal)
    const known = this.live.get(principal)
    if (known === undefined) return
    this.live.delete(principal)
    this.dictionary.delete(known.key)
  }

  private put(row: PrincipalRow): void {
    const known = this.live.get(row.principal)
    if (known === undefined) {
      this.restorePrincipal(row)
      this.dictionary.set(this.keys.row(FAMILY.principal, row.principal), row)
      return
    }
    const before = known.row.until
    known.row = row
    this.dictionary.set(known.key, row)
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

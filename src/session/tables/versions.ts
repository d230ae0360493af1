import { type Dictionary, rowValue } from '../rows/dictionary.ts'
import { FAMILY, type RowKeys } from '../rows/row-keys.ts'
import type { EntryKind } from '../../codec/entry/entry.ts'
import type { Value } from '../../codec/value/value.ts'
import { KIND_SINCE, OWN_MACHINE_NAME } from '../own-versions.ts'
import { TASK_MACHINE } from './tasks.ts'

/** What AdvanceVersion entries have said of a machine: the version that the log runs, and its schema. */
export interface VersionRow {
  readonly version: number
  readonly schema: string
}

/** Of the session layer's own machines where the log names none, and of every machine before its first AdvanceVersion entry. */
const FIRST_VERSION = 1

/** Rows `session/version/<machine>` (sessions.md §10). */
export class Versions {
  private readonly rows = new Map<string, VersionRow>()
  private readonly dictionary: Dictionary
  private readonly keys: RowKeys

  constructor(dictionary: Dictionary, keys: RowKeys) {
    this.dictionary = dictionary
    this.keys = keys
  }

  /** Rows that there are. */
  get size(): number {
    return this.rows.size
  }

  /** The log has switched to user machines: false before its first AdvanceVersion entry, when no version is above 1. */
  get activated(): boolean {
    return this.rows.size > (this.rows.has(OWN_MACHINE_NAME) ? 1 : 0)
  }

  /** Whether the log is at a version of session layer, kit and codec that has this kind of entry. */
  takes(kind: EntryKind): boolean {
    return this.active(OWN_MACHINE_NAME) >= (KIND_SINCE[kind] ?? FIRST_VERSION)
  }

  /**
   * Whether the log does what the session layer does since a version of it. One that names no versions of machines does all
   * that this build does.
   */
  hasOwn(since: number): boolean {
    return !this.activated || this.active(OWN_MACHINE_NAME) >= since
  }

  /**
   * The version of a machine under which the next entry is applied; 0: the log knows other machines, and not this one. A
   * function of the log alone, so that every build answers alike.
   */
  active(machine: string): number {
    const row = this.rows.get(machine)
    if (row !== undefined) return row.version
    const own = machine === TASK_MACHINE || machine === OWN_MACHINE_NAME
    return own || !this.activated ? FIRST_VERSION : 0
  }

  find(machine: string): VersionRow | null {
    return this.rows.get(machine) ?? null
  }

  all(): Iterable<readonly [string, VersionRow]> {
    return this.rows
  }

  set(machine: string, version: number, schema: string): void {
    const row: VersionRow = { version, schema }
    this.rows.set(machine, row)
    this.dictionary.set(this.keys.row(FAMILY.version, machine), rowValue(row))
  }

  /** A row of a snapshot. */
  restore(key: string, value: Value): void {
    this.rows.set(String(this.keys.parts(FAMILY.version, key)[0]), readVersion(value))
  }
}

/** A cast: the row was written by this file. */
export function readVersion(value: Value): VersionRow {
  return value as unknown as VersionRow
}

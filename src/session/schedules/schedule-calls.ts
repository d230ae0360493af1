import type { Millis } from '../../base/brand.ts'
import { fitsName, SCHEDULE_NAME_CHARS_MAX } from '../../codec/entry/names.ts'
import { isInteger, isText } from '../rows/row-fields.ts'
import type { Transaction } from '../run/transaction.ts'
import type { ScheduleCalls, ScheduleDefinition, ScheduleStatus } from '../schedule.ts'
import { foldScheduleCall } from '../state/fold.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import { backfilled, changeAt, newSchedule, owing, paused, resumed, runEnded } from './schedule-changes.ts'
import { CATCH_UP_MS_DEFAULT, CATCH_UP_MS_MIN, CRON_CHARS_MAX, SCHEDULES_MAX, ZONE_CHARS_MAX } from './schedule-rows.ts'
import type { ScheduleRow } from './schedule-rows.ts'

/** Ten years, as of all times that a machine gives. */
const CATCH_UP_MS_MAX = 10 * 365 * 24 * 3_600_000
const OVERLAPS: readonly string[] = ['skip', 'bufferOne', 'bufferAll', 'allowAll', 'cancelOther']

/** The schedules of the running transaction, as machines change them. What is no definition is MACHINE_ERROR. */
export class TransactionSchedules implements ScheduleCalls {
  private readonly owner: ReplicatedState
  private readonly transaction: Transaction

  constructor(owner: ReplicatedState, transaction: Transaction) {
    this.owner = owner
    this.transaction = transaction
  }

  put(machine: string, name: string, definition: ScheduleDefinition): boolean {
    const { owner, transaction } = this
    this.begin('put', machine, name)
    const { cron, zone, overlap = 'skip', catchUpMs = CATCH_UP_MS_DEFAULT, payload = null } = definition
    this.require(isText(cron) && cron.length <= CRON_CHARS_MAX, `cron has at most ${CRON_CHARS_MAX} characters`)
    this.require(isText(zone) && zone.length <= ZONE_CHARS_MAX, `zone has at most ${ZONE_CHARS_MAX} characters`)
    this.require(OVERLAPS.includes(overlap), `overlap is one of ${OVERLAPS.join(', ')}`)
    this.require(isInteger(catchUpMs) && catchUpMs <= CATCH_UP_MS_MAX, `catchUpMs is at most ${CATCH_UP_MS_MAX}`)
    transaction.walk([cron, zone, overlap, catchUpMs])
    transaction.walk(payload)
    const there = owner.schedules.current(machine, name)
    if (there === null && owner.schedules.sizeStaged >= SCHEDULES_MAX) return false
    const given = { cron, zone, overlap, payload, catchUpMs: Math.max(catchUpMs, CATCH_UP_MS_MIN) }
    const at = changeAt(owner)
    const begun = newSchedule({ machine, name, ...given }, at)
    if (there === null) owner.schedules.stage(begun)
    else if (there.cron === cron && there.zone === zone && there.stop === null)
      owner.schedules.stage({ ...there, ...given })
    else owner.schedules.stage({ ...owing(there, at), ...given, ...timesOf(begun) })
    return true
  }

  pause(machine: string, name: string): boolean {
    return this.change('pause', { machine, name }, (row) => paused(row, changeAt(this.owner)))
  }

  resume(machine: string, name: string): boolean {
    return this.change('resume', { machine, name }, (row) => resumed(row, changeAt(this.owner)))
  }

  backfill(machine: string, name: string, { from, to }: { readonly from: Millis; readonly to: Millis }): boolean {
    this.require(isInteger(from) && isInteger(to), 'a backfill is from and to integers of milliseconds')
    this.transaction.walk([from, to])
    const { now } = this.owner
    return this.change('backfill', { machine, name }, (row) => backfilled(row, { from, to: Math.min(to, now) }))
  }

  cancel(machine: string, name: string): boolean {
    this.begin('cancel', machine, name)
    if (this.owner.schedules.current(machine, name) === null) return false
    this.owner.schedules.stageRemoval(machine, name)
    return true
  }

  end(machine: string, name: string, run: number): boolean {
    this.require(isInteger(run), 'a run is named by its number')
    this.transaction.walk(run)
    return this.change('end', { machine, name }, (row) => runEnded(row, run))
  }

  find(machine: string, name: string): ScheduleStatus | null {
    this.assertRunning()
    const row = this.owner.schedules.current(machine, name)
    if (row === null) return null
    const status = statusOf(row)
    // It shares lists with the row: frozen, as all that machines are given.
    this.owner.codec.walkRow(status, { high: 0, low: 0 })
    return status
  }

  private change(
    call: string,
    { machine, name }: { readonly machine: string; readonly name: string },
    changed: (row: ScheduleRow) => ScheduleRow | null,
  ): boolean {
    this.begin(call, machine, name)
    const row = this.owner.schedules.current(machine, name)
    const next = row === null ? null : changed(row)
    if (next !== null) this.owner.schedules.stage(next)
    return next !== null
  }

  private begin(call: string, machine: string, name: string): void {
    this.assertRunning()
    // The name of its timer ends the machine's with a slash.
    this.require(
      isText(machine) && fitsName(machine) && !machine.includes('/'),
      'the machine of a schedule has a name without /',
    )
    this.require(
      isText(name) && name.length <= SCHEDULE_NAME_CHARS_MAX,
      `the name of a schedule has at most ${SCHEDULE_NAME_CHARS_MAX} characters`,
    )
    foldScheduleCall(this.owner, call, { machine, name })
  }

  /** MACHINE_ERROR with INVALID_VALUE, also when the machine swallows the error. */
  private require(holds: boolean, message: string): void {
    if (holds) return
    this.transaction.invalidValue = true
    throw new TypeError(message)
  }

  private assertRunning(): void {
    if (!this.transaction.running) throw new TypeError('a context is valid only during the call it was given to')
  }
}

/** What another expression or zone begins anew. */
function timesOf({ revision, after, next, stop }: ScheduleRow): Partial<ScheduleRow> {
  return { revision, after, next, stop }
}

/** A row as machines and operators see it. */
export function statusOf({ revision: _, after: __, owed: ___, ...status }: ScheduleRow): ScheduleStatus {
  return status
}

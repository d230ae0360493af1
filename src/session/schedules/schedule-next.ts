import { unreachable } from '../../base/assert.ts'
import type { PayloadByKind, ScheduleStep } from '../../codec/entry/payload.ts'
import { foldScheduleStep } from '../state/fold.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import type { Reply } from '../state-machine.ts'
import { raiseAlert } from '../run/notify.ts'
import { backfilled, changeAt, owingStill, paused, resumed, runEnded } from './schedule-changes.ts'
import { awaitedOf, SCHEDULE_FILL_MAX, SCHEDULE_RUNS_MAX, type ScheduleRow } from './schedule-rows.ts'

/**
 * ScheduleNext: what a proposer has computed of calendars, and what operators want of schedules. Each step is judged by the
 * row: one of an earlier revision, or computed after an occurrence that is not the last any more, changes nothing. No
 * calendar is asked here: its data differs between builds of the engine.
 */
export function applyScheduleNext(state: ReplicatedState, { steps }: PayloadByKind['ScheduleNext']): Reply {
  const done = steps.map((step) => {
    const row = state.schedules.find(step.machine, step.name)
    const taken = row !== null && takeStep(state, row, step)
    foldScheduleStep(state, step, taken)
    return taken
  })
  return { kind: 'scheduled', done }
}

function takeStep(state: ReplicatedState, row: ScheduleRow, step: ScheduleStep): boolean {
  if (!isComputed(step) && step.revision !== 0 && step.revision !== row.revision) return false
  if (step.kind === 'cancel') {
    state.schedules.remove(row.machine, row.name)
    return true
  }
  const next = changed(state, row, step)
  if (next === null) return false
  state.schedules.put(next)
  if (next.stop !== null && row.stop === null) tellStopped(state, next)
  return true
}

/** A proposer's step, which names the row that it was computed of. */
function isComputed({ kind }: ScheduleStep): boolean {
  return kind === 'next' || kind === 'fill' || kind === 'owed'
}

/** Nobody asked for it, and nothing more comes of the schedule until somebody does something about it. */
function tellStopped(state: ReplicatedState, { machine, name, stop }: ScheduleRow): void {
  const details = { machine, name, stop }
  raiseAlert(state, 'SCHEDULE_STOPPED', details, state.codec.walkRow(details, { high: 0, low: 0 }))
}

/** Null: nothing changes. */
function changed(state: ReplicatedState, row: ScheduleRow, step: ScheduleStep): ScheduleRow | null {
  switch (step.kind) {
    case 'next':
      return nextComputed(state, row, step)
    case 'fill':
      return filled(row, step)
    case 'owed':
      return owedComputed(state, row, step)
    case 'pause':
      return paused(row, changeAt(state))
    case 'resume':
      return resumed(row, changeAt(state))
    case 'end':
      return runEnded(row, step.after)
    case 'backfill':
      return revised(backfilled(row, { from: step.after, to: Math.min(step.upTo, state.now) }), state.index)
    case 'cancel':
      return null
    default:
      return unreachable(step.kind)
  }
}

/** A copy of the step, which names the revision that its operator looked at, finds another one. */
function revised(row: ScheduleRow | null, revision: number): ScheduleRow | null {
  return row === null ? null : { ...row, revision }
}

function nextComputed({ now }: ReplicatedState, row: ScheduleRow, step: ScheduleStep): ScheduleRow | null {
  if (awaitedOf(row) !== 'next' || step.revision !== row.revision || step.after !== row.after) return null
  const { upTo, missed, stop } = step
  const [next = null, more] = step.times
  if (upTo < row.after || (next !== null && next <= upTo) || more !== undefined) return null
  // An occurrence is missed by the entry's time alone: a proposer's clock may be ahead.
  if (upTo > row.after && upTo > now - row.catchUpMs) return null
  if (stop !== '') return next === null ? { ...row, after: upTo, missed: row.missed + missed, stop } : null
  return { ...row, after: upTo, missed: row.missed + missed, next }
}

/**
 * Of what a schedule owes so much is missed, or these occurrences wait, whatever its overlap says: as many as may, the others
 * are skipped. They run before the next one of the clock, once the schedule is not paused.
 */
function owedComputed({ now }: ReplicatedState, row: ScheduleRow, step: ScheduleStep): ScheduleRow | null {
  const [oldest, ...others] = row.owed ?? []
  if (awaitedOf(row) !== 'owed' || oldest === undefined) return null
  const { times, upTo, missed } = step
  if (step.revision !== row.revision || step.after !== oldest.after || upTo > oldest.upTo) return null
  if (step.stop !== '') {
    if (upTo !== oldest.after) return null
    // Another expression goes on without what that one owes.
    const same = oldest.cron === row.cron && oldest.zone === row.zone
    return same ? { ...row, stop: step.stop } : owingStill(row, others)
  }
  if (!rises(step) || upTo <= oldest.after) return null
  if (missed > 0 && (times.length > 0 || upTo > now - row.catchUpMs)) return null
  const waiting = [...row.waiting, ...times].slice(0, Math.max(SCHEDULE_RUNS_MAX, row.waiting.length))
  const skipped = row.skipped + row.waiting.length + times.length - waiting.length
  const left = upTo === oldest.upTo ? others : [{ ...oldest, after: upTo }, ...others]
  return owingStill({ ...row, waiting, skipped, missed: row.missed + missed }, left)
}

/** Whether its occurrences are in (after, upTo], in order, and not too many. */
function rises({ times, after, upTo }: ScheduleStep): boolean {
  return times.length <= SCHEDULE_FILL_MAX && times.every((time, at) => time > (times[at - 1] ?? after) && time <= upTo)
}

function filled(row: ScheduleRow, step: ScheduleStep): ScheduleRow | null {
  const [oldest, ...others] = row.backfills
  if (awaitedOf(row) !== 'fill' || oldest === undefined) return null
  if (step.revision !== row.revision || step.after !== oldest.after || step.upTo > oldest.upTo) return null
  // It still has the next occurrence, which somebody else has computed.
  if (step.stop !== '') return step.upTo === oldest.after ? { ...row, stop: step.stop } : null
  if (!rises(step) || step.upTo <= step.after) return null
  const rest = step.upTo === oldest.upTo ? others : [{ ...oldest, after: step.upTo }, ...others]
  return { ...row, filling: step.times, backfills: rest }
}

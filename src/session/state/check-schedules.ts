import { assert } from '../../base/assert.ts'
import { rowValue } from '../rows/dictionary.ts'
import { FAMILY } from '../rows/row-keys.ts'
import { awaitedOf, dueOf, SCHEDULE_TIMER, type ScheduleRow } from '../schedules/schedule-rows.ts'
import { TASK_MACHINE } from '../tables/tasks.ts'
import type { ReplicatedState } from './replicated-state.ts'

/** The part of `checkReplicatedState` that is about schedules, `stored` of which have a row. */
export function checkSchedules(state: ReplicatedState, stored: number): void {
  const { index, dictionary, keys, now, schedules, timers } = state
  const all = schedules.listAfter(null, Number.MAX_SAFE_INTEGER)
  const key = ({ machine, name }: ScheduleRow): string => keys.row(FAMILY.schedule, machine, name)
  const same = all.every((row) => dictionary.get(key(row)) === rowValue(row))
  assert(
    same && schedules.size === stored,
    'schedules are exactly those of the rows, each under its machine and name',
    {
      index,
      schedules: schedules.size,
      stored,
    },
  )
  const timed = all.every((row) => {
    const due = timers['find'](TASK_MACHINE, `${SCHEDULE_TIMER}${row.machine}/${row.name}`)?.row?.dueAt ?? null
    return dueOf(row, now) === null ? due === null : due !== null && due >= (dueOf(row, 0) ?? 0)
  })
  assert(
    timed,
    'a schedule has a timer exactly while it is not paused and an occurrence may run or is to come, due then at the earliest',
    { index },
  )
  const awaited = all.filter((row) => awaitedOf(row) !== null)
  const listed = schedules['awaiting']
  const sameOnes = awaited.length === listed.size && awaited.every((row) => listed.has(key(row)))
  assert(sameOnes, 'those are awaited of which a proposer is to compute something, and no others', {
    index,
    awaited: awaited.length,
  })
  const ordered = all.every(({ after, open, waiting, runs }) => {
    const numbers = open.map(({ run }) => run)
    return rises(waiting, after) && rises(numbers, runs)
  })
  assert(ordered, 'occurrences that wait and runs that are open rise, the clock’s up to after, the runs up to runs', {
    index,
  })
}

function rises(values: readonly number[], last: number): boolean {
  return values.every((value, at) => value > (values[at - 1] ?? 0) && value <= last)
}

import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import type { Value } from '../../../src/codec/value/value.ts'
import type { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import type { Model } from './model.ts'
import { dueTasks, taskRow } from './tasks.ts'
import { awaitedOf, dueOf, visible } from './schedules.ts'

/** What is compared of a task's row. */
type TaskRow = { readonly [field: string]: Value } & { readonly result: { readonly by: string } | null }

/** All rows of a state, as a snapshot of it holds them. */
export type Rows = ReadonlyMap<string, Value>

/** Asserts that all that is visible of a state and its rows is the model's. `opened`: the sessions that there ever were. */
export function compareState(machine: SessionStateMachine, rows: Rows, model: Model, opened: readonly number[]): void {
  same(
    opened.map((session) => sessionOf(machine, session)),
    opened.map((session) => sessionOfModel(model, session)),
  )
  same({ ...stateOf(machine), ...stateOfRows(rows) }, stateOfModel(model))
  for (const session of opened) checkChain(machine, session)
}

/** PERF: a tenth of what the expectation costs, which is there to say how they differ. */
function same(seen: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(seen, wanted)) expect(seen).toEqual(wanted)
}

function stateOf(machine: SessionStateMachine) {
  const { changedAt: _, ...limits } = machine.limits
  const { counts, schedules } = machine
  return {
    sessions: counts.sessions,
    timers: counts.timers,
    nextTimerDue: machine.nextTimerDue(),
    nextExpiry: machine.nextExpiry(),
    letters: machine.deadLetters(0, 100).map(({ letter, target, request }) => {
      return [letter, target.id, request.serverRequestId, request.type, request.payload]
    }),
    limits,
    schedules: schedules.listAfter(null, 100),
    awaited: schedules
      .awaited(100)
      .map(({ name, revision, after }) => [name, revision, after])
      .sort(),
  }
}

function stateOfRows(rows: Rows) {
  const below = (prefix: string) => [...rows].filter(([key]) => key.startsWith(prefix))
  const { skipped = [] } = rows.get('session/meta') as { skipped?: Value[] }
  return {
    user: new Map(below('user/').map(([key, row]) => [key.slice(5), row])),
    alerts: new Map(
      below('session/alert/').map(([, row]) => {
        const { kind, count } = row as { kind: string; count: number }
        return [kind, count]
      }),
    ),
    skipped,
    tasks: below('session/task/').map(([, row]) => {
      const { number, ref, payload, attempt, status, assignedTo, leaseUntil, ...rest } = row as unknown as TaskRow
      const { everLeased, backingOff, createdAt, closedAt, result } = rest
      const lease = { assignedTo, leaseUntil, everLeased, backingOff, createdAt, closedAt }
      return { number, ref, payload, attempt, status, ...lease, by: result?.by ?? null }
    }),
  }
}

function stateOfModel({ all, limits, letters, parts }: Model) {
  const times = [...all.timers.values(), ...all.waits.waits].flatMap(({ dueAt }) => (dueAt === null ? [] : [dueAt]))
  times.push(...[...all.schedules.values()].flatMap((schedule) => dueOf(schedule) ?? []))
  times.push(...dueTasks(all.tasks).map(({ dueAt }) => dueAt))
  const expiries = [...all.sessions.values()].map(({ renewed, timeoutMs }) => renewed + timeoutMs)
  const schedules = [...all.schedules.values()].sort((one, other) => (one.name < other.name ? -1 : 1))
  const { changedAt: _, ...inForce } = limits as typeof limits & { changedAt?: number }
  return {
    sessions: all.sessions.size,
    timers: times.length,
    nextTimerDue: times.length === 0 ? null : Math.min(...times),
    nextExpiry: expiries.length === 0 ? null : Math.min(...expiries),
    letters: [...letters.dead].map(([letter, { id, to, type, payload }]) => [letter, `0/1/${to}`, id, type, payload]),
    limits: inForce,
    schedules: schedules.map(({ revision, after, owed, ...each }) => {
      const times = owed.map((range) => ({ ...range, zone: 'UTC' }))
      const own = { revision, after, ...(times.length > 0 ? { owed: times } : {}) }
      return { ...visible({ revision, after, owed, ...each }), ...own }
    }),
    awaited: awaitedOf(schedules).map(({ name, revision, after }) => [name, revision, after]),
    user: all.user,
    alerts: all.alerts,
    tasks: all.tasks.all.map(taskRow),
    skipped: parts.remembered.map(({ index, part, told }) => [index, part, ...(told ? [true] : [])]),
  }
}

function sessionOf(machine: SessionStateMachine, index: number) {
  const facts = machine.sessionFacts(index)
  if (facts === null) return null
  const { epoch, floor, highest, acknowledged, lastServerRequestId, renewedLease, renewedAtIndex } = facts
  const outbox = machine.outbox(index, 0, 100)
  const ids = Array.from({ length: highest - floor + 2 }, (_, at) => floor - 1 + at)
  return {
    facts: { epoch, floor, highest, acknowledged, lastServerRequestId, renewedLease, renewedAtIndex },
    outbox: outbox.map(({ serverRequestId: id, previousId, type, payload, attempt }) => {
      return { id, previousId, type, payload, attempt }
    }),
    cached: ids.flatMap((id) => {
      const found = machine.cached(index, id)
      return found === null ? [] : [[id, found.outcome, found.entryIndex]]
    }),
  }
}

function sessionOfModel(model: Model, index: number) {
  const session = model.all.sessions.get(index)
  if (session === undefined) return null
  const { epoch, floor, highest, acked: acknowledged, lastId: lastServerRequestId } = session
  const { renewed: renewedLease, renewedAt: renewedAtIndex, outbox, responses } = session
  const rising = [...responses].sort(([one], [other]) => one - other)
  return {
    facts: { epoch, floor, highest, acknowledged, lastServerRequestId, renewedLease, renewedAtIndex },
    outbox: outbox.map(({ id, previousId, type, payload, attempt }) => ({ id, previousId, type, payload, attempt })),
    cached: rising.map(([id, { reply }]) => [id, reply.outcome, reply.index]),
  }
}

/** INV-2, INV-3: in id order, none above the last id, and each names the one before it, the first one that is gone, or none. */
function checkChain(machine: SessionStateMachine, index: number): void {
  const acknowledged = machine.sessionFacts(index)?.acknowledged ?? 0
  let before = acknowledged
  for (const [at, { serverRequestId: id, previousId }] of machine.outbox(index, 0, 100).entries()) {
    if (id <= before || (at === 0 ? previousId > acknowledged : previousId !== before))
      throw new Error(`the request ${id} names ${previousId}, behind ${before}`)
    before = id
  }
}

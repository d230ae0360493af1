import { describe, expect, test } from 'vitest'
import type { Entry } from '../../../src/codec/entry/entry.ts'
import { encodePayload } from '../../../src/codec/entry/payload-codec.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import type { Applied } from '../../../src/session/state-machine.ts'
import type { MachineContext, Outcome, QueryView, UserStateMachine } from '../../../src/session/user-machine.ts'
import { bareMachine } from '../bare-machine.ts'
import { codec, Log, RECORD_BYTES, START, swapped } from '../log.ts'

const ROWS = 300
const ALL = { from: '', to: '~', limit: 10_000 }
const KIND = { kind: 'look', role: 'worker', maxAttempts: 3, leaseMs: 1000, backoffMs: [] }
const key = (at: number): string => `row/${String(at).padStart(4, '0')}`
const dueAt = (at: number): number => START + 60_000 + at

/** What a query finds: rows in order from both ends and one by one, some of them, and their number. */
function look({ state, index, activeVersion }: QueryView): Value {
  const rows = state.range(ALL)
  const backwards = state.range({ ...ALL, reverse: true }).toReversed()
  const single = rows.map(([at]) => [at, state.get(at)])
  const same = JSON.stringify([rows, rows]) === JSON.stringify([backwards, single])
  const some = state.range({ from: key(10), to: key(60), limit: 20 })
  return { rows, same, some, count: state.count(ALL), index, version: activeVersion('test') } as unknown as Value
}

/**
 * A machine with many rows; its second version changes, adds and removes rows, timers, tasks and server requests, row by row.
 */
function machine(migrate: (context: MachineContext, at: number) => unknown = () => undefined) {
  return bareMachine(
    {
      fill: (context) => {
        for (let at = 0; at < ROWS; at += 1) {
          context.state.set(key(at), at)
          context.schedule('test', key(at), dueAt(at), at)
        }
        return null
      },
      next: (context) => [context.activeVersion('test'), context.state.count(ALL)],
    },
    {
      *migrate(context) {
        for (let at = 0; at < ROWS; at += 1) {
          change(context, at)
          migrate(context, at)
          yield
        }
      },
      query: (view) => ({ kind: 'value', value: look(view) }),
    },
  )
}

function change(context: MachineContext, at: number): void {
  const { state } = context
  if (at % 3 === 0) state.delete(key(at))
  else state.set(key(at), { migrated: state.get(key(at)) as Value })
  if (at % 4 === 0) state.set(`new/${String(at).padStart(4, '0')}`, at)
  if (at % 5 === 0) context.cancel('test', key(at))
  else context.schedule('test', `late/${at}`, dueAt(at) + 1, at)
  if (at % 50 === 0) context.task('test', KIND, key(at), at)
  context.once('migrated', key(at), '', 1000, () => at)
  if (at % 60 === 0) context.audit(at)
  if (at % 70 === 0) context.notify('user:a', 'migrated', at)
  // Reads of its own see its own writes, however many there are.
  state.set('seen', [state.count(ALL), state.range({ ...ALL, limit: 3 }).map(([first]) => first)])
}

const advance = (to: number) => ({ machines: [{ machine: 'test', to, schema: '' }] })

/** A log up to the entry that switches to version 2, which is applied in steps by `steps`. */
function logOf(user: UserStateMachine): Log {
  const log = new Log(user)
  log.append('AdvanceVersion', advance(1))
  log.request(log.open('a'), 1, 'fill')
  return log
}

interface Replay {
  /** Steps at a time. */
  readonly slice?: number
  /** What is done between two of them. */
  readonly pause?: (at: SessionStateMachine) => void
  readonly rehearse?: boolean
}

/** Applies all entries of a log on another machine. */
function replay(user: UserStateMachine, log: Log, given: Replay = {}) {
  const { slice = 1, pause = () => undefined, rehearse = false } = given
  const reports: unknown[] = []
  const twin = new SessionStateMachine(user, codec, { rehearse, report: (told) => reports.push(told) })
  let steps = 0
  for (const entry of log.entries) {
    const begun = twin.begin(entry, RECORD_BYTES)
    let applied: Applied | null = 'step' in begun ? null : begun
    while ('step' in begun && applied === null) {
      for (let at = 0; at < slice && applied === null; at += 1) {
        applied = begun.step()
        steps += 1
      }
      pause(twin)
    }
  }
  return { twin, steps, reports }
}

const seenBy = (at: SessionStateMachine): Outcome =>
  at.query({ machine: 'test', query: 'look', input: null, session: null })

describe('an entry in steps', () => {
  test('shows the state before it until all of it is there, in one moment', () => {
    const log = logOf(machine())
    const before = seenBy(log.machine)
    const hashBefore = log.machine.stateHash()
    log.append('AdvanceVersion', advance(2))
    const after = seenBy(log.machine)
    expect(after).not.toEqual(before)
    const user = machine()
    const twin = new SessionStateMachine(user, codec)
    for (const entry of log.entries.slice(0, -1)) twin.apply(entry, RECORD_BYTES)
    const last = log.entries.at(-1)
    if (last === undefined) throw new Error('a log has entries')
    const begun = twin.begin(last, RECORD_BYTES)
    if (!('step' in begun)) throw new Error('a migration is begun in steps')
    const seen: string[] = []
    let applied: Applied | null = null
    while (applied === null) {
      applied = begun.step()
      const outcome = seenBy(twin)
      const isNew = twin.appliedIndex === last.index
      expect(outcome).toEqual(isNew ? after : before)
      expect(twin.stateHash()).toBe(isNew ? log.machine.stateHash() : hashBefore)
      expect(twin.activeVersion('test')).toBe(isNew ? 2 : 1)
      expect(twin.underway).toBe(applied === null)
      seen.push(isNew ? 'new' : 'old')
    }
    // More than a step per row, then the rows themselves are moved in pieces, while all of them are seen.
    expect(seen.indexOf('new')).toBeGreaterThan(ROWS)
    expect(seen.length - seen.indexOf('new')).toBeGreaterThan(2 * (ROWS / 32))
    twin.checkInvariants()
    expect([...swapped(twin)].sort()).toEqual([...swapped(log.machine)].sort())
  })

  test('comes to the same, however many are done at a time and whatever is read in between', () => {
    const log = logOf(machine())
    log.append('AdvanceVersion', advance(2))
    log.advance(120_000)
    log.empty('Tick')
    const rows = [...swapped(log.machine)].sort()
    for (const slice of [1, 7, 100, 10_000]) {
      const { twin } = replay(machine(), log, { slice, pause: (at) => void seenBy(at) })
      expect(twin.stateHash()).toBe(log.machine.stateHash())
      twin.checkInvariants()
      expect([...swapped(twin)].sort()).toEqual(rows)
    }
  })

  test('that fails at its last row leaves no trace but its alarm, also in steps', () => {
    const failing = () =>
      machine((_, at) => {
        if (at === ROWS - 1) throw new Error('a bug')
      })
    const log = logOf(failing())
    const before = seenBy(log.machine)
    log.append('AdvanceVersion', advance(2))
    expect(log.machine.activeVersion('test')).toBe(1)
    expect(seenBy(log.machine)).toEqual({
      ...before,
      value: { ...(before as { value: object }).value, index: log.machine.appliedIndex },
    })
    const { twin, reports } = replay(failing(), log)
    expect(reports).toMatchObject([{ kind: 'failure', reason: 'EXCEPTION', part: { name: 'migration' } }])
    expect(twin.stateHash()).toBe(log.machine.stateHash())
    twin.checkInvariants()
    log.machine.checkInvariants()
    expect([...swapped(twin)].sort()).toEqual([...swapped(log.machine)].sort())
  })

  test('is rehearsed in steps, and one that does different things fails', () => {
    const log = logOf(machine())
    log.append('AdvanceVersion', advance(2))
    const plain = replay(machine(), log)
    const twice = replay(machine(), log, { rehearse: true })
    expect(twice.twin.stateHash()).toBe(plain.twin.stateHash())
    expect(twice.steps).toBeGreaterThan(plain.steps + ROWS)
    let kept = 0
    const other = replay(
      machine((context, at) => context.state.set(key(at), (kept += 1))),
      log,
      { rehearse: true },
    )
    expect(other.reports).toMatchObject([{ reason: 'NONDETERMINISTIC' }])
    expect(other.twin.activeVersion('test')).toBe(1)
    other.twin.checkInvariants()
  })

  test('is not left before its end: no other entry is applied and no command tried', () => {
    const log = logOf(machine())
    const entry = { ...log.entries[0], kind: 'AdvanceVersion', index: log.entries.length + 1 } as Entry
    const begun = log.machine.begin({ ...entry, payload: encodePayload('AdvanceVersion', advance(2)) }, RECORD_BYTES)
    if ('step' in begun) begun.step()
    expect(() => log.empty('Tick')).toThrow('at its end')
    const now = START
    expect(() =>
      log.machine.tryCommand({ machine: 'test', command: 'next', input: null, principal: 'user:a', roles: [], now }),
    ).toThrow('between two entries')
  })

  test('whose steps are promises fails as any asynchronous function', () => {
    for (const migrate of [
      async function* (context: MachineContext) {
        change(context, 1)
        yield
      },
      function* () {
        yield Promise.resolve()
      },
      async () => undefined,
    ]) {
      const log = logOf({ ...machine(), migrate: migrate as never })
      log.append('AdvanceVersion', advance(2))
      expect(log.reports).toMatchObject([{ reason: 'ASYNC_HANDLER' }])
      expect(log.machine.activeVersion('test')).toBe(1)
    }
  })
})

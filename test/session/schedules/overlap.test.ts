import { describe, expect, test } from 'vitest'
import type { ScheduleStep } from '../../../src/codec/entry/payload.ts'
import type { ScheduleDefinition } from '../../../src/session/schedule.ts'
import { SCHEDULE_FILL_MAX, SCHEDULE_RUNS_MAX } from '../../../src/session/schedules/schedule-rows.ts'
import { SchedulePlans } from '../../../src/node/propose/schedule-plans.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import { bareMachine } from '../bare-machine.ts'
import { code, codec, type Log, RECORD_BYTES, swapped, value } from '../log.ts'
import { HOURLY, type Input, MINUTE, world } from './schedule-world.ts'

describe('overlap', () => {
  const open = (overlap: ScheduleDefinition['overlap']) => {
    const parts = world(() => 'open')
    parts.run('put', { definition: { overlap } as Partial<ScheduleDefinition> })
    parts.pass(180)
    return parts
  }

  test('skip leaves out what comes while a run is open', () => {
    const { run, pass, status, runs } = open('skip')
    expect(runs()).toEqual(['23:00'])
    expect(status()).toMatchObject({ skipped: 2, open: [{ run: 1 }] })
    expect(value(run('end', { run: 1 }))).toBe(true)
    expect(value(run('end', { run: 1 }))).toBe(false)
    pass(60)
    expect(runs()).toEqual(['02:00'])
  })

  test('bufferOne keeps the first, which runs when the open one ends', () => {
    const { run, lead, pass, status, runs } = open('bufferOne')
    expect(runs()).toEqual(['23:00'])
    expect(status()).toMatchObject({ skipped: 1, waiting: [Date.parse('2023-11-15T00:00Z')] })
    run('end', { run: 1 })
    pass(1, 1)
    lead()
    expect(runs()).toEqual(['00:00'])
    expect(status()).toMatchObject({ waiting: [], open: [{ run: 2 }] })
  })

  test('bufferAll keeps all, up to a bound, and runs them in order', () => {
    const { run, pass, status, runs } = open('bufferAll')
    pass(60 * SCHEDULE_RUNS_MAX, 60)
    expect(status().waiting).toHaveLength(SCHEDULE_RUNS_MAX)
    expect(status().skipped).toBe(2)
    expect(runs()).toEqual(['23:00'])
    run('end', { run: 1 })
    pass(1, 1)
    run('end', { run: 2 })
    pass(1, 1)
    expect(runs()).toEqual(['00:00', '01:00'])
  })

  test('allowAll runs beside what is open', () => {
    const { status, runs } = open('allowAll')
    expect(runs()).toEqual(['23:00', '00:00', '01:00'])
    expect(status().open.map((each) => each.run)).toEqual([1, 2, 3])
  })

  test('cancelOther takes the place of what is open, and says so', () => {
    const { heard, status } = open('cancelOther')
    expect(heard.map(({ cancelled }) => cancelled)).toEqual([[], [1], [2]])
    expect(status()).toMatchObject({ open: [{ run: 3 }], skipped: 0 })
  })
})

test('a run that fails takes the place of none: those that were open are so, and the next run is told of them', () => {
  const { pass, run, heard, status } = world((context, { run: number }) => {
    context.state.set('half', number)
    if (number === 2) throw new Error('on purpose')
    return 'open'
  })
  run('put', { definition: { overlap: 'cancelOther' } })
  pass(120)
  expect(status()).toMatchObject({ runs: 2, failed: 1, open: [{ run: 1 }] })
  expect(value(run('end', { run: 1 }))).toBe(true)
  pass(60)
  expect(status()).toMatchObject({ runs: 3, failed: 1, open: [{ run: 3 }] })
  expect(heard.map(({ cancelled }) => cancelled)).toEqual([[], [1], []])
})

describe('pause and resume', () => {
  test('what passes meanwhile is neither run nor missed', () => {
    const { run, pass, status, runs } = world()
    run('put')
    pass(60)
    expect(value(run('pause'))).toBe(true)
    expect(value(run('pause'))).toBe(false)
    pass(120)
    expect(value(run('resume'))).toBe(true)
    expect(value(run('resume'))).toBe(false)
    pass(60)
    expect(runs()).toEqual(['23:00', '02:00'])
    expect(status()).toMatchObject({ missed: 0, skipped: 0, paused: false })
  })
})

describe('a backfill', () => {
  test('runs no more beside what is open than there may be: the others wait', () => {
    const { log, run, lead, pass, status } = world(() => 'open')
    run('put', { definition: { overlap: 'allowAll' } })
    run('backfill', { from: log.now - 300 * 60 * MINUTE, to: log.now })
    pass(2, 1)
    expect(status().open).toHaveLength(SCHEDULE_RUNS_MAX)
    const { filling } = status()
    expect(filling.length).toBeGreaterThan(0)
    run('end', { run: 7 })
    log.advance(2)
    lead()
    expect(status().open.map((each) => each.run)).toEqual([
      ...Array.from({ length: SCHEDULE_RUNS_MAX + 1 }, (_, at) => at + 1).filter((number) => number !== 7),
    ])
    expect(status().filling).toHaveLength(filling.length - 1)
  })

  test('runs every occurrence of its range once, in order, beside those of the clock', () => {
    const { log, run, pass, status, heard } = world()
    run('put')
    expect(value(run('backfill', { from: log.now - 300 * MINUTE, to: log.now }))).toBe(true)
    pass(60)
    expect(heard.map(({ scheduledAt, backfilled }) => [new Date(scheduledAt).getUTCHours(), backfilled])).toEqual([
      [18, true],
      [19, true],
      [20, true],
      [21, true],
      [22, true],
      [23, false],
    ])
    expect(status()).toMatchObject({ backfills: [], filling: [], runs: 6 })
  })

  test('is of [from, to)', () => {
    const { log, run, pass, runs } = world()
    pass(60)
    run('put')
    const hour = Date.parse('2023-11-14T22:00Z')
    run('backfill', { from: hour, to: hour + 60 * MINUTE })
    expect(log.now).toBeGreaterThan(hour + 60 * MINUTE)
    pass(1, 1)
    expect(runs()).toEqual(['22:00'])
  })

  test('comes in batches, one after the other, and waits for a run that is open', () => {
    const { log, run, lead, status, heard } = world((_context, { run: number }) => (number === 1 ? 'open' : undefined))
    run('put', { definition: { cron: '* * * * *' } })
    run('backfill', { from: log.now - 250 * MINUTE, to: log.now - 1 })
    log.advance(1000)
    lead()
    expect(status()).toMatchObject({ open: [{ run: 1 }] })
    expect(status().filling).toHaveLength(SCHEDULE_FILL_MAX - 1)
    run('end', { run: 1 })
    for (let at = 0; at < 10; at += 1) {
      log.advance(1000)
      lead()
    }
    expect(heard.filter(({ backfilled }) => backfilled)).toHaveLength(250)
    expect(new Set(heard.map(({ scheduledAt }) => scheduledAt)).size).toBe(heard.length)
  })

  test('of what is to come, or of nothing, is refused', () => {
    const { log, run } = world()
    run('put')
    for (const [from, to] of [
      [5, 5],
      [log.now, log.now + 1],
      [-5, 0],
    ] as const)
      expect(value(run('backfill', { from, to }))).toBe(false)
    expect(code(run('backfill', { from: 0.5, to: 5 }))).toBe('MACHINE_ERROR')
    expect(value(run('backfill', { name: 'other', from: 1, to: 2 }))).toBe(false)
    for (let at = 0; at < 16; at += 1) expect(value(run('backfill', { from: 1, to: 2 }))).toBe(true)
    expect(value(run('backfill', { from: 1, to: 2 }))).toBe(false)
  })
})

describe('what cannot run', () => {
  test.each([
    [{ cron: '61 * * * *' }, 'badCron'],
    [{ zone: 'Europe/Pariss' }, 'unknownZone'],
  ] as const)('says so, and is not asked for for ever: %j', (definition, stop) => {
    const { log, run, lead, status } = world()
    run('put', { definition })
    lead()
    expect(status()).toMatchObject({ stop, next: null })
    const entries = log.entries.length
    log.advance(10 * MINUTE)
    lead()
    expect(log.entries.length).toBe(entries)
    // Another proposer may know the zone.
    expect(value(run('resume'))).toBe(true)
    expect(log.machine.schedules.awaited(9)).toHaveLength(1)
    lead()
    expect(status().stop).toBe(stop)
    run('put', {})
    lead()
    expect(status()).toMatchObject({ stop: null })
    expect(status().next).not.toBe(null)
  })
})

describe('a proposer that lacks a zone', () => {
  /** Has `log` think that whoever computed the next occurrence knew the zone. */
  const known = (log: Log, name: string): void => {
    const row = log.machine.schedules.find('test', name)
    if (row === null) throw new Error('it was put')
    const { revision, after } = row
    const step = { machine: 'test', name, kind: 'next', revision, after, upTo: after, missed: 0, stop: '' } as const
    log.append('ScheduleNext', { steps: [{ ...step, times: [log.now + 60 * MINUTE] }] })
  }

  test('says so of a backfill, which waits until the schedule is resumed or put again; what is computed still runs', () => {
    const { log, run, lead, pass, status, runs } = world()
    run('put', { definition: { zone: 'Newer/Zone' } })
    known(log, 's')
    run('backfill', { from: log.now - 120 * MINUTE, to: log.now })
    lead()
    expect(status()).toMatchObject({ stop: 'unknownZone', next: log.now + 60 * MINUTE, backfills: [{}] })
    expect(log.machine.schedules.awaited(9)).toEqual([])
    pass(120)
    expect(runs()).toHaveLength(1)
    expect(status()).toMatchObject({ stop: 'unknownZone', next: null, backfills: [{}] })
    run('put', {})
    lead()
    expect(runs()).toEqual(['21:00', '22:00'])
    expect(status()).toMatchObject({ stop: null, backfills: [] })
  })

  test('says so of any number, and others go on', () => {
    const { log, run, lead, status } = world()
    for (let at = 0; at < 70; at += 1) {
      run('put', { name: `z${at}`, definition: { zone: 'Newer/Zone' } })
      known(log, `z${at}`)
      run('backfill', { name: `z${at}`, from: 1, to: log.now })
    }
    run('put')
    lead()
    expect(status().next).not.toBe(null)
    expect(status('z69').stop).toBe('unknownZone')
  })

  test('may be one whose step is stale: it stops nothing', () => {
    const { log, run, status } = world()
    run('put')
    known(log, 's')
    run('backfill', { from: 1, to: log.now })
    const { revision = 0 } = log.machine.schedules.find('test', 's') ?? {}
    const step = { machine: 'test', name: 's', kind: 'fill', missed: 0, times: [], stop: 'unknownZone' } as const
    for (const stale of [
      { revision: revision - 1, after: 0, upTo: 0 },
      { revision, after: 7, upTo: 7 },
      { revision, after: 0, upTo: 5 },
    ])
      expect(log.append('ScheduleNext', { steps: [{ ...step, ...stale }] }).reply).toMatchObject({ done: [false] })
    expect(status()).toMatchObject({ stop: null, backfills: [{}] })
  })

  test('is told of to administrators, each time that a schedule stops by itself', () => {
    const { log, run, lead } = world()
    const admin = log.open('root', { principal: 'admin:root' })
    const told = () => log.machine.outbox(admin, 0, 9).map(({ payload }) => payload)
    run('put', { definition: { zone: 'Newer/Zone' } })
    lead()
    const stopped = { kind: 'SCHEDULE_STOPPED', details: { machine: 'test', name: 's', stop: 'unknownZone' } }
    expect(told()).toMatchObject([{ topic: 'admin.alert', body: stopped }])
    run('resume')
    lead()
    expect(told()).toHaveLength(2)
    const rows = [...swapped(log.machine).values()]
    expect(rows).toContainEqual(expect.objectContaining({ kind: 'SCHEDULE_STOPPED', count: 2 }))
  })
})

test('those that have very much to count do not keep another one from its next occurrence', () => {
  const { log, run, status } = world()
  for (let at = 0; at < 70; at += 1) run('put', { name: `old${at}`, definition: { cron: '* * * * *', catchUpMs: 0 } })
  log.advance(3650 * 24 * 60 * MINUTE)
  run('put')
  const plans = new SchedulePlans()
  for (let duty = 0; duty < 5; duty += 1)
    log.append('ScheduleNext', { steps: [...plans.steps(log.machine.schedules.awaited(64), log.now)] })
  expect(status().next).not.toBe(null)
  expect(status('old0')).toMatchObject({ next: null, runs: 0 })
})

describe('an operator', () => {
  const operate = (log: Log, kind: ScheduleStep['kind'], other: Partial<ScheduleStep> = {}) => {
    const none = { revision: 0, after: 0, upTo: 0, missed: 0, times: [], stop: '' } as const
    const { reply } = log.append('ScheduleNext', { steps: [{ machine: 'test', name: 's', kind, ...none, ...other }] })
    log.machine.checkInvariants()
    return reply.kind === 'scheduled' ? reply.done : null
  }

  test('pauses, resumes, backfills and cancels', () => {
    const { log, run, lead, pass, runs, status } = world()
    run('put')
    lead()
    expect(operate(log, 'pause')).toEqual([true])
    expect(operate(log, 'pause')).toEqual([false])
    pass(60)
    expect(operate(log, 'resume')).toEqual([true])
    expect(operate(log, 'backfill', { after: log.now - 60 * MINUTE, upTo: log.now })).toEqual([true])
    expect(operate(log, 'backfill', { after: log.now, upTo: log.now + 1 })).toEqual([false])
    pass(1, 1)
    expect(runs()).toEqual(['23:00'])
    expect(status().paused).toBe(false)
    expect(operate(log, 'cancel')).toEqual([true])
    expect(operate(log, 'cancel')).toEqual([false])
    expect(log.machine.schedules.find('test', 's')).toBe(null)
  })
})

test('a restored snapshot goes on as the straight replay does, at every index', () => {
  const { log, run, lead, pass } = world((_context, { run: number }) => (number % 2 === 1 ? 'open' : undefined))
  run('put', { definition: { overlap: 'bufferAll' } })
  run('backfill', { from: log.now - 300 * MINUTE, to: log.now })
  pass(130)
  run('end', { run: 1 })
  lead()
  run('put', { name: 'bad', definition: { zone: 'Nowhere' } })
  pass(2, 1)
  for (let at = 3; at < log.entries.length; at += 1) {
    const first = new SessionStateMachine(silent(), codec)
    for (const entry of log.entries.slice(0, at)) first.apply(entry, RECORD_BYTES)
    const rows = swapped(first)
    const second = new SessionStateMachine(silent(), codec)
    for (const [key, row] of rows) if (row !== undefined) second.restoreRow(key, row)
    const last = log.entries[at - 1]
    second.restored({ index: at, term: 1, lease: last?.lease ?? 0, now: last?.now ?? 0 })
    second.checkInvariants()
    expect(second.schedules.awaited(9)).toEqual(first.schedules.awaited(9))
    for (const entry of log.entries.slice(at)) {
      first.apply(entry, RECORD_BYTES)
      second.apply(entry, RECORD_BYTES)
      expect(second.stateHash()).toBe(first.stateHash())
    }
    expect(second.schedules.listAfter(null, 9)).toEqual(first.schedules.listAfter(null, 9))
  }
})

/** The machine of `world` for a replay: it does the same to its state. */
function silent() {
  return bareMachine(
    {
      put: ({ schedules }, input) =>
        schedules.put('test', (input as Input).name ?? 's', {
          ...HOURLY,
          ...(input as Input).definition,
        } as ScheduleDefinition),
      end: ({ schedules }, input) => schedules.end('test', 's', (input as Input).run ?? 0),
      backfill: ({ schedules }, input) =>
        schedules.backfill('test', 's', { from: (input as Input).from ?? 0, to: (input as Input).to ?? 0 }),
    },
    { onSchedule: (_context, { run }) => (run % 2 === 1 ? 'open' : undefined) },
  )
}

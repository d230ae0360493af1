import { describe, expect, test } from 'vitest'
import type { ScheduleStep } from '../../../src/codec/entry/payload.ts'
import { code, type Log, swapped, value } from '../log.ts'
import { HOURLY, MINUTE, world } from './schedule-world.ts'

// The log begins on 2023-11-14 at 22:13:20.

describe('a schedule', () => {
  test('runs once for each occurrence, at its time, as a transaction of its own', () => {
    const { log, run, pass, heard, status } = world()
    expect(value(run('put', { definition: { payload: { to: 'all' } } }))).toBe(true)
    expect(status()).toMatchObject({ next: null, runs: 0, overlap: 'skip', catchUpMs: 24 * 60 * MINUTE })
    pass(120)
    expect(heard).toHaveLength(2)
    expect(heard[0]).toMatchObject({
      ...{ machine: 'test', name: 's', run: 1, payload: { to: 'all' }, backfilled: false, cancelled: [] },
      scheduledAt: Date.parse('2023-11-14T23:00Z'),
      now: Date.parse('2023-11-14T23:00Z'),
    })
    expect(heard[1]).toMatchObject({ run: 2, scheduledAt: Date.parse('2023-11-15T00:00Z') })
    expect(status()).toMatchObject({ runs: 2, last: Date.parse('2023-11-15T00:00Z'), missed: 0, skipped: 0 })
    expect(log.machine.schedules.awaited(9)).toEqual([])
  })

  test('is not asked for by apply: without a proposer nothing runs', () => {
    const { log, run, heard } = world()
    run('put')
    log.advance(600 * MINUTE)
    log.empty('Tick')
    expect(heard).toEqual([])
    expect(log.machine.nextTimerDue()).toBe(null)
  })

  test('whose hook throws has run: rolled back, counted, and not run again', () => {
    const { log, run, pass, status } = world(() => {
      throw new Error('a bug')
    })
    run('put')
    pass(60)
    expect(status()).toMatchObject({ runs: 1, failed: 1, open: [] })
    expect(swapped(log.machine).has('user/ran/1')).toBe(false)
    expect(log.reports).toMatchObject([{ kind: 'failure', part: { machine: 'test', name: 'onSchedule' } }])
  })

  test('of a command that is rejected was neither made nor cancelled', () => {
    const { log, run, status } = world()
    run('put')
    expect(code(run('regret'))).toBe('NO')
    expect(status().name).toBe('s')
    expect(log.machine.schedules.find('test', 'lost')).toBe(null)
  })

  test('that is put again as it is goes on; with another expression its occurrences begin anew', () => {
    const { run, lead, pass, status, runs } = world()
    run('put')
    lead()
    const { next } = status()
    run('put', { definition: { payload: 1, overlap: 'allowAll' } })
    expect(status()).toMatchObject({ next, payload: 1, overlap: 'allowAll' })
    run('put', { definition: { cron: '30 * * * *' } })
    expect(status().next).toBe(null)
    pass(60)
    expect(runs()).toEqual(['22:30'])
    expect(status().runs).toBe(1)
  })

  test('that is cancelled is gone, with its timer', () => {
    const { log, run, lead, heard } = world()
    run('put')
    lead()
    expect(log.machine.counts.timers).toBe(1)
    expect(value(run('cancel'))).toBe(true)
    expect(value(run('cancel'))).toBe(false)
    expect(log.machine.counts.timers).toBe(0)
    log.advance(120 * MINUTE)
    lead()
    expect(heard).toEqual([])
  })

  test('is one of as many as there is room for', () => {
    const { run, status } = world()
    expect(value(run('many'))).toBe(false)
    expect(status('many-0').name).toBe('many-0')
  })

  test('of one that is full takes the place of one that is cancelled, also in a trial', () => {
    const { log, run } = world()
    run('many')
    const asked = { machine: 'test', input: { name: 'new' }, principal: 'user:a', roles: [], now: log.now }
    const tried = (command: string) => log.machine.tryCommand({ ...asked, command }).outcome
    expect(tried('put')).toEqual({ kind: 'value', value: false })
    expect(tried('swap')).toEqual({ kind: 'value', value: true })
    expect(log.machine.tryCommand({ ...asked, command: 'swap' }).schedules).toMatchObject([
      { machine: 'test', name: 'many-0', after: null },
      { machine: 'test', name: 'new', after: { ...HOURLY, paused: false } },
    ])
    expect(log.machine.tryCommand({ ...asked, command: 'regret' }).schedules).toEqual([])
    expect(value(run('swap', { name: 'new' }))).toBe(true)
  })

  test('is not changed through what find gives', () => {
    const { run } = world()
    run('put')
    expect(code(run('change'))).toBe('MACHINE_ERROR')
  })

  test.each([
    { overlap: 'some' as never },
    { cron: 'x'.repeat(257) },
    { zone: 'x'.repeat(65) },
    { catchUpMs: 0.5 },
    { catchUpMs: Number.MAX_SAFE_INTEGER },
  ])('with %j is refused', (definition) => {
    const { log, run } = world()
    expect(code(run('put', { definition }))).toBe('MACHINE_ERROR')
    expect(log.machine.schedules.listAfter(null, 9)).toEqual([])
  })
})

describe('what was missed', () => {
  test('is run late within the window, counted and left out beyond it', () => {
    const { log, run, lead, status, runs } = world()
    run('put', { definition: { catchUpMs: 90 * MINUTE } })
    lead()
    // Nobody leads for five hours: 23:00 has its timer, the others were never computed.
    log.advance(300 * MINUTE)
    lead()
    expect(runs()).toEqual(['02:00', '03:00'])
    expect(status()).toMatchObject({ runs: 2, missed: 3, next: Date.parse('2023-11-15T04:00Z') })
  })

  test('is counted 100 days at a time, however many occurrences they have', () => {
    const { log, run, status, lead } = world()
    run('put', { definition: { cron: '* * * * *', catchUpMs: 0 } })
    const entriesOf = (minutes: number): number => {
      log.advance(minutes * MINUTE)
      const before = log.entries.length
      lead()
      return log.entries.length - before
    }
    expect(entriesOf(350)).toBe(1)
    expect(status()).toMatchObject({ runs: 0, missed: 350 })
    // The occurrence that was computed is missed as its time passes; then come three years.
    run('put', { definition: { cron: '*/2 * * * *', catchUpMs: 0 } })
    expect(entriesOf(3 * 365 * 24 * 60)).toBe(11)
    expect(status()).toMatchObject({ runs: 0, missed: 350 + (3 * 365 * 24 * 60) / 2 })
  })

  test('is not what a proposer says alone: occurrences within the window are not counted as missed', () => {
    const { log, run, status } = world()
    run('put')
    const [schedule] = log.machine.schedules.awaited(1)
    const upTo = log.now + 60 * MINUTE
    const step = { machine: 'test', name: 's', kind: 'next', revision: schedule?.revision ?? 0, stop: '' } as const
    const steps = [{ ...step, after: schedule?.after ?? 0, upTo, missed: 1, times: [upTo + 1] }]
    expect(log.append('ScheduleNext', { steps }).reply).toEqual({ kind: 'scheduled', done: [false] })
    expect(status()).toMatchObject({ missed: 0, next: null })
  })
})

describe('a proposal', () => {
  const stepFor = (log: Log, other: Partial<ScheduleStep> = {}): ScheduleStep => {
    const [schedule] = log.machine.schedules.awaited(1)
    if (schedule === undefined) throw new Error('one is awaited')
    const { machine, name, revision, after } = schedule
    const times = [after + MINUTE]
    return { machine, name, kind: 'next', revision, after, upTo: after, missed: 0, times, stop: '', ...other }
  }
  const take = (log: Log, step: ScheduleStep) => log.append('ScheduleNext', { steps: [step] }).reply

  test('is taken once', () => {
    const { log, run } = world()
    run('put')
    const step = stepFor(log)
    expect(take(log, step)).toEqual({ kind: 'scheduled', done: [true] })
    expect(take(log, step)).toEqual({ kind: 'scheduled', done: [false] })
  })

  test('of a schedule that was paused, changed or cancelled since changes nothing', () => {
    for (const change of [['pause'], ['put', { definition: { cron: '1 * * * *' } }], ['cancel']] as const) {
      const { log, run } = world()
      run('put')
      const step = stepFor(log)
      run(...(change as ['pause']))
      expect(take(log, step)).toEqual({ kind: 'scheduled', done: [false] })
    }
  })

  test.each([
    { revision: 1 },
    { after: 1 },
    { upTo: 1 },
    { times: [1, 2] },
    { machine: 'other' },
    { stop: 'never', times: [9e12] },
  ] as Partial<ScheduleStep>[])('with %j changes nothing', (other) => {
    const { log, run, status } = world()
    run('put')
    expect(take(log, stepFor(log, other))).toEqual({ kind: 'scheduled', done: [false] })
    expect(status()).toMatchObject({ next: null, stop: null })
  })
})

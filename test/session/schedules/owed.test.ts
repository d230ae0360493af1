import { describe, expect, test } from 'vitest'
import { SchedulePlans } from '../../../src/node/propose/schedule-plans.ts'
import { value } from '../log.ts'
import { HOURLY, MINUTE, world } from './schedule-world.ts'

// The log begins on 2023-11-14 at 22:13:20.

const BOTH = [
  { machine: 'test', to: 1, schema: '' },
  { machine: 'holdfast', to: 4, schema: '' },
]

/** A schedule of which nobody has computed anything for so many minutes. */
function outage(minutes: number, definition = {}) {
  const parts = world()
  parts.run('put', { definition })
  parts.log.advance(minutes * MINUTE)
  parts.log.empty('Noop')
  return parts
}

describe('what a schedule owes from an outage', () => {
  test('waits where it is paused before a leader has looked, and runs once it is resumed; what passes meanwhile does not', () => {
    const { run, lead, pass, status, runs } = outage(150)
    run('pause')
    lead()
    expect(status()).toMatchObject({ paused: true, next: null, runs: 0 })
    expect(status().waiting).toHaveLength(2)
    pass(120)
    expect(runs()).toEqual([])
    run('resume')
    lead()
    expect(runs()).toEqual(['23:00', '00:00'])
    pass(60)
    expect(runs()).toEqual(['03:00'])
  })

  test('stays owed where it is resumed, and paused again, before a leader has looked', () => {
    const { log, run, lead, status, runs } = outage(60)
    for (const what of ['pause', 'resume', 'pause', 'resume']) {
      run(what)
      log.advance(60 * MINUTE)
    }
    log.empty('Noop')
    lead()
    // Paused at 23:13 and at 01:13, each time for an hour.
    expect(runs()).toEqual(['23:00', '01:00', '03:00'])
    expect(status()).toMatchObject({ missed: 0, skipped: 0, waiting: [] })
  })

  test('is missed where it is older than is caught up with, at the time that it is found', () => {
    const { run, lead, status } = outage(600, { catchUpMs: 90 * MINUTE })
    run('pause')
    lead()
    expect(status()).toMatchObject({ missed: 8 })
    expect(status().waiting).toHaveLength(2)
  })

  test('is found while time goes on, some milliseconds from entry to entry', () => {
    const { log, run, status } = outage(600, { catchUpMs: 90 * MINUTE })
    run('pause')
    const plans = new SchedulePlans()
    for (let duty = 0; duty < 3; duty += 1) {
      log.advance(10)
      const steps = plans.steps(log.machine.schedules.awaited(9), log.now)
      if (steps.length > 0) log.append('ScheduleNext', { steps })
    }
    expect(status()).toMatchObject({ missed: 8 })
    expect(status().waiting).toHaveLength(2)
  })

  test('waits as far as there is room, and is skipped beyond', () => {
    const { run, lead, status } = outage(130, { cron: '* * * * *' })
    run('pause')
    lead()
    expect(status()).toMatchObject({ skipped: 30 })
    expect(status().waiting).toHaveLength(100)
  })

  test('runs by the expression that it had, where it is given another one', () => {
    const { run, lead, pass, runs } = outage(60)
    run('put', { definition: { cron: '30 * * * *' } })
    lead()
    expect(runs()).toEqual(['23:00'])
    pass(60)
    expect(runs()).toEqual(['23:30'])
  })

  test('goes with a zone that nobody knows, where it is given another one; else it stops as any other', () => {
    const { run, lead, pass, status, runs } = outage(60, { zone: 'Europe/Pariss' })
    run('pause')
    lead()
    expect(status()).toMatchObject({ stop: 'unknownZone', paused: true })
    run('put', { definition: HOURLY })
    run('resume')
    lead()
    expect(status()).toMatchObject({ stop: null })
    pass(60)
    expect(runs()).toEqual(['00:00'])
  })

  test('is passed over before own version 5, and in logs of such a version', () => {
    const { log, run, lead, status, runs } = outage(150)
    log.append('AdvanceVersion', { machines: BOTH })
    expect(value(run('pause'))).toBe(true)
    lead()
    expect(status().waiting).toEqual([])
    run('resume')
    lead()
    expect(runs()).toEqual([])
  })

  test('is computed once: a step that comes again, late or with more than is owed changes nothing', () => {
    const { log, run, status } = outage(150)
    run('pause')
    const { revision, owed } = log.machine.schedules.find('test', 's') ?? { revision: 0 }
    const [{ after, upTo } = { after: 0, upTo: 0 }] = owed ?? []
    const step = { machine: 'test', name: 's', kind: 'owed', revision, after, upTo, missed: 0, stop: '' } as const
    const times = [upTo - 2, upTo - 1]
    const wrong = [
      { ...step, times, revision: revision - 1 },
      { ...step, times, after: after + 1 },
      { ...step, times, upTo: upTo + 1 },
      { ...step, times: [upTo - 1, upTo - 2] },
      { ...step, times: [upTo + 1] },
      { ...step, times, missed: 1 },
      { ...step, times: [], missed: 1 },
      { ...step, times: [], upTo: after },
      { ...step, times: [], stop: 'never' as const },
    ]
    expect(log.append('ScheduleNext', { steps: wrong }).reply).toMatchObject({ done: wrong.map(() => false) })
    expect(log.append('ScheduleNext', { steps: [{ ...step, times }] }).reply).toMatchObject({ done: [true] })
    expect(log.append('ScheduleNext', { steps: [{ ...step, times }] }).reply).toMatchObject({ done: [false] })
    expect(status().waiting).toEqual(times)
    log.machine.checkInvariants()
  })
})

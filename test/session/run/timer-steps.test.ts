import { describe, expect, test } from 'vitest'
import type { Entry } from '../../../src/codec/entry/entry.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import type { Applied } from '../../../src/session/state-machine.ts'
import { bareMachine, number } from '../bare-machine.ts'
import { codec, Log, RECORD_BYTES, START, swapped } from '../log.ts'

const TIMERS = 300
const DUE = START + 60_000
const name = (at: number): string => `timer/${String(at).padStart(4, '0')}`

/** Timers that fall due together; each counts, every tenth arms one more that is due in the same entry. */
const machine = () =>
  bareMachine(
    {
      arm: (context) => {
        for (let at = 0; at < TIMERS; at += 1) context.schedule('test', name(at), DUE + (at % 3), at)
        return null
      },
      count: (context) => number(context.state.get('count')),
    },
    {
      onTimer(context, { payload }) {
        context.state.set('count', number(context.state.get('count')) + 1)
        const at = number(payload)
        context.state.set(`fired/${String(at).padStart(4, '0')}`, context.now)
        if (at % 10 === 0) context.schedule('test', `again/${at}`, context.now + 1, at + 10_001)
        if (at % 50 === 7) throw new Error('a bug in a timer')
      },
      query: ({ state, index, now }, { query }) => {
        if (query === 'look') return { kind: 'value', value: [index, number(state.get('count'))] }
        const fired = state.range({ from: 'fired/', to: 'fired0', limit: TIMERS * 2 })
        return { kind: 'value', value: [now, Math.max(0, ...fired.map(([, at]) => number(at)))] }
      },
    },
  )

/** A log whose last entry finds all timers due. */
function logUpTo(kind: 'Tick' | 'command'): Log {
  const log = new Log(machine())
  const session = log.open('a')
  log.request(session, 1, 'arm')
  log.advance(120_000)
  if (kind === 'Tick') log.empty('Tick')
  else log.request(session, 2, 'count')
  return log
}

/** The last entry applied so many steps at a time, after the others. */
function inSlices(log: Log, slice: number, pause: (twin: SessionStateMachine) => void = () => undefined) {
  const twin = new SessionStateMachine(machine(), codec)
  for (const entry of log.entries.slice(0, -1)) twin.apply(entry, RECORD_BYTES)
  const begun = twin.begin(log.entries.at(-1) as Entry, RECORD_BYTES)
  let [applied, steps]: [Applied | null, number] = ['step' in begun ? null : begun, 0]
  while ('step' in begun && applied === null) {
    for (let at = 0; at < slice && applied === null; at += 1) {
      applied = begun.step()
      steps += 1
    }
    if (applied === null) pause(twin)
  }
  return { twin, applied, steps }
}

describe('timers that are due', () => {
  test.each(['Tick', 'command'] as const)('give the loop back after each of them, before a %s', (kind) => {
    const log = logUpTo(kind)
    const { applied, steps, twin } = inSlices(log, 1)
    expect(steps).toBeGreaterThan(TIMERS)
    expect(applied?.index).toBe(log.entries.length)
    expect(twin.counts.timers).toBe(0)
  })

  test.each(['Tick', 'command'] as const)('leave the same, however many fire at a time, before a %s', (kind) => {
    const log = logUpTo(kind)
    const rows = [...swapped(log.machine)].sort()
    for (const slice of [1, 7, 64, 100_000]) {
      const { twin, applied } = inSlices(log, slice)
      expect(twin.stateHash()).toBe(log.machine.stateHash())
      expect([...swapped(twin)].sort()).toEqual(rows)
      twin.checkInvariants()
      // 330 timers, of which those with a bug wrote nothing.
      if (kind === 'command') expect(applied?.reply).toMatchObject({ kind: 'outcome', outcome: { value: 324 } })
    }
  })

  test('have each its whole effect or none for whoever asks meanwhile, and the index is that of the entry before', () => {
    const log = logUpTo('Tick')
    const counts: number[] = []
    inSlices(log, 10, (twin) => {
      const outcome = twin.query({ machine: 'test', query: 'look', input: null, session: null })
      const [index, count] = outcome.kind === 'value' ? (outcome.value as [number, number]) : [0, 0]
      expect(index).toBe(log.entries.length - 1)
      expect(twin.underway).toBe(true)
      counts.push(count)
    })
    expect(counts).toEqual([...counts].sort((one, other) => one - other))
    expect(counts.length).toBeGreaterThan(TIMERS / 10)
  })

  test('are never later than the time that a query is given meanwhile', () => {
    const ages: number[] = []
    inSlices(logUpTo('Tick'), 10, (twin) => {
      const outcome = twin.query({ machine: 'test', query: 'times', input: null, session: null })
      const [now, newest] = outcome.kind === 'value' ? (outcome.value as [number, number]) : [0, 1]
      ages.push(now - newest)
    })
    expect(ages.length).toBeGreaterThan(TIMERS / 10)
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(0)
  })

  test('do not make steps of an entry before which none is due', () => {
    const log = new Log(machine())
    log.request(log.open('a'), 1, 'arm')
    log.empty('Tick')
    expect(inSlices(log, 1).steps).toBe(0)
  })
})

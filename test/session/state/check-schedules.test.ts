import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FAMILY } from '../../../src/session/rows/row-keys.ts'
import type { ScheduleRow } from '../../../src/session/schedules/schedule-rows.ts'
import type { ReplicatedState } from '../../../src/session/state/replicated-state.ts'
import { bareMachine } from '../bare-machine.ts'
import { Log } from '../log.ts'

/** Two schedules: the next occurrence of `s` is known, that of `other` is asked for. */
function world() {
  const machine = bareMachine({
    plan: ({ schedules }) => {
      for (const name of ['s', 'other']) schedules.put('test', name, { cron: '0 * * * *', zone: 'UTC' })
      return null
    },
  })
  const log = new Log(machine)
  log.request(log.open('a'), 1, 'plan')
  const { state } = log.machine as unknown as { state: ReplicatedState }
  const { machine: of, name, revision, after } = schedule(state, 's')
  const step = { machine: of, name, kind: 'next', revision, after, upTo: after, missed: 0, stop: '' } as const
  log.append('ScheduleNext', { steps: [{ ...step, times: [after + 90_000] }] })
  return { log, state }
}

const LATE = { machine: 'task', name: 'schedule:test/s', dueAt: 9e12, payload: null }

const keyOf = (state: ReplicatedState, name: string): string => state.keys.row(FAMILY.schedule, 'test', name)

function schedule(state: ReplicatedState, name: string): ScheduleRow {
  const found = state.schedules.find('test', name)
  if (found === null) throw new Error('there is such a schedule')
  return found
}

function rewrite(state: ReplicatedState, lists: Partial<ScheduleRow>): void {
  state.schedules.put({ ...schedule(state, 's'), ...lists })
}

/** For each sentence of the list, named by words that no other one has, what breaks it. */
const PLANTED: [string, (state: ReplicatedState) => void][] = [
  ['schedules are exactly', (state) => state.dictionary.delete(keyOf(state, 's'))],
  ['schedules are exactly', (state) => state.dictionary.set(keyOf(state, 'third'), null)],
  ['schedules are exactly', (state) => state.dictionary.set(keyOf(state, 's'), { ...schedule(state, 's') })],
  ['has a timer exactly', (state) => state.timers.remove('task', LATE.name)],
  ['has a timer exactly', (state) => state.timers.put({ ...LATE, dueAt: (schedule(state, 's').next ?? 0) - 1 })],
  ['has a timer exactly', (state) => state.timers.put({ ...LATE, name: 'schedule:test/other' })],
  ['those are awaited', (state) => state.schedules['awaiting'].delete(keyOf(state, 'other'))],
  ['those are awaited', (state) => state.schedules['awaiting'].add(keyOf(state, 's'))],
  [
    'occurrences that wait',
    (state) => rewrite(state, { runs: 1, open: [{ run: 1, scheduledAt: 1 }], waiting: [3, 2] }),
  ],
  ['occurrences that wait', (state) => rewrite(state, { open: [{ run: 1, scheduledAt: 1 }] })],
]

const source = (file: string): string => readFileSync(join(import.meta.dirname, '../../../src/session', file), 'utf8')

const asserted = (): string[] =>
  [...source('state/check-schedules.ts').matchAll(/\bassert\([^']*?'([^']*)'/g)].map((match) => match[1] ?? '')

test('the invariants that Schedules lists are those that are asserted, and have a planted breach each', () => {
  const listed = [...source('schedules/schedules.ts').matchAll(/^ \* - (.*)$/gm)].map((match) => match[1] ?? '')
  expect(listed.map((sentence) => sentence.replaceAll('`', ''))).toEqual(asserted())
  const named = new Set(PLANTED.flatMap(([words]) => asserted().filter((sentence) => sentence.includes(words))))
  expect(named).toEqual(new Set(asserted()))
})

test.each(PLANTED)('are found broken: %s', (words, plant) => {
  const { log, state } = world()
  log.machine.checkInvariants()
  plant(state)
  const sentence = asserted().find((one) => one.includes(words))
  expect(sentence).toBeDefined()
  expect(() => log.machine.checkInvariants()).toThrow(sentence)
})

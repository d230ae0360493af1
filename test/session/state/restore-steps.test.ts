import { expect, test } from 'vitest'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import { counter } from '../bare-machine.ts'
import { codec, Log, swapped } from '../log.ts'

const SESSIONS = 1000

test('a successor’s indexes are rebuilt in steps of few rows, and it is then the machine that the rows are of', () => {
  const log = new Log(counter(), { sessionsMax: SESSIONS })
  for (let count = 0; count < SESSIONS; count += 1) log.request(log.open(`s${count}`), 1, 'increment')
  const rows = [...swapped(log.machine)]
  const machine = new SessionStateMachine(counter(), codec)
  const successor = machine.successor()
  for (const [key, value] of rows) if (value !== undefined) successor.restoreRow(key, value)
  const position = { index: log.machine.appliedIndex, term: 1, lease: log.lease, now: log.now }
  let steps = 1
  while (successor.restoreNext(position)) steps += 1
  // A session and its response each; none of a hundred rows or more.
  expect(steps).toBeGreaterThan((2 * SESSIONS) / 100)
  expect(successor.stateHash()).toBe(log.machine.stateHash())
  successor.takeOver()
  machine.checkInvariants()
  expect(machine.counts).toEqual(log.machine.counts)
})

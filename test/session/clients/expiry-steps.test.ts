import { expect, test } from 'vitest'
import type { Entry } from '../../../src/codec/entry/entry.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import type { Applied } from '../../../src/session/state-machine.ts'
import { bareMachine, counterHandlers, number } from '../bare-machine.ts'
import { codec, Log, numbers, RECORD_BYTES, swapped } from '../log.ts'

const SESSIONS = 60

const machine = () =>
  bareMachine(counterHandlers, {
    onSessionExpired: (context) => context.state.set('ended', number(context.state.get('ended')) + 1),
  })

/** A log whose last entry ends all sessions. */
function expiring(): Log {
  const log = new Log(machine())
  for (let at = 0; at < SESSIONS; at += 1) log.request(log.open(`s${at}`), 1, 'increment')
  log.advance(60_000)
  const overdue = log.machine.overdueSessions({ lease: log.lease, readySince: 0 }, SESSIONS)
  const sessions = overdue.map(({ index, renewedAtIndex }) => ({ ...numbers(index), renewedAtIndex }))
  log.append('ExpireSessions', { sessions })
  return log
}

test.each([1, 7, 1000])('sessions of one entry end step by step, %d at a time, and leave the same', (slice) => {
  const log = expiring()
  const twin = new SessionStateMachine(machine(), codec)
  for (const entry of log.entries.slice(0, -1)) twin.apply(entry, RECORD_BYTES)
  const begun = twin.begin(log.entries.at(-1) as Entry, RECORD_BYTES)
  if (!('step' in begun)) throw new Error('it is begun')
  let [applied, steps]: [Applied | null, number] = [null, 0]
  while (applied === null) {
    for (let at = 0; at < slice && applied === null; at += 1) {
      applied = begun.step()
      steps += 1
    }
    if (applied !== null) break
    expect([twin.underway, twin.readable, twin.appliedIndex]).toEqual([true, false, log.entries.length - 1])
  }
  expect(steps).toBeGreaterThan(SESSIONS)
  expect(applied?.ended).toHaveLength(SESSIONS)
  expect([twin.underway, twin.readable]).toEqual([false, true])
  expect(twin.stateHash()).toBe(log.machine.stateHash())
  expect([...swapped(twin)].sort()).toEqual([...swapped(log.machine)].sort())
  twin.checkInvariants()
})

import { expect, test } from 'vitest'
import { SessionStateMachine } from '../../../../src/session/session-state-machine.ts'
import { counter } from '../../bare-machine.ts'
import { codec, Log, swapped } from '../../log.ts'

const subject = (of: number): Uint8Array => new Uint8Array(32).fill(of)
const hex = (of: number): string => Buffer.from(subject(of)).toString('hex')

test('a subject is forgotten by the first entry that says so, for good, and after a snapshot too', () => {
  const log = new Log(counter())
  expect(log.machine.forgotten(hex(1))).toBeNull()
  const first = log.append('ForgetSubject', { subject: subject(1) })
  expect(first.reply).toEqual({ kind: 'forgotten', subject: hex(1), at: first.index })
  const before = log.machine.stateHash()
  const again = log.append('ForgetSubject', { subject: subject(1) })
  expect(again.reply).toEqual({ kind: 'forgotten', subject: hex(1), at: first.index })
  expect([log.machine.forgotten(hex(1)), log.machine.forgotten(hex(2))]).toEqual([first.index, null])
  expect(log.machine.stateHash()).not.toBe(before)
  log.machine.checkInvariants()
  const restored = new SessionStateMachine(counter(), codec, { group: 0 })
  for (const [key, row] of swapped(log.machine)) if (row !== undefined) restored.restoreRow(key, row)
  restored.restored({ index: log.machine.appliedIndex, term: 1, lease: log.lease, now: log.now })
  expect([restored.forgotten(hex(1)), restored.stateHash()]).toEqual([first.index, log.machine.stateHash()])
})

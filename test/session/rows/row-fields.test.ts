import { describe, expect, test } from 'vitest'
import type { MachineContext } from '../../../src/session/user-machine.ts'
import { bareMachine, reject } from '../bare-machine.ts'
import { codec, Log, swapped } from '../log.ts'

/** An integer itself, its sum with a clock is none. */
const LONG = Number.MAX_SAFE_INTEGER
const HALF = 'half of an emoji \ud83d'

/** Everything beside its values that a machine can make stand in a row. */
const bad: [string, (context: MachineContext) => unknown][] = [
  ['the type of a server request', (context) => context.emit(own(context), HALF, null)],
  ['the key of a server request', (context) => context.emit(own(context), 't', null, { key: HALF })],
  ['the deadline of a server request', (context) => context.emit(own(context), 't', null, { deadlineAt: Number.NaN })],
  ['the attempts of a server request', (context) => context.emit(own(context), 't', null, { attemptsMax: 0.5 })],
  ['the principal of a notification', (context) => context.notify(HALF, 't', null)],
  ['the topic of a notification', (context) => context.notify('user:a', HALF, null)],
  ['the machine of a task', (context) => context.task(HALF, task, 'ref', null)],
  ['the kind of a task', (context) => context.task('test', { ...task, kind: HALF }, 'ref', null)],
  ['the role of a task', (context) => context.task('test', { ...task, role: HALF }, 'ref', null)],
  ['the ref of a task', (context) => context.task('test', task, HALF, null)],
  ['the attempts of a task', (context) => context.task('test', { ...task, maxAttempts: Number.NaN }, 'ref', null)],
  ['the waits of a task', (context) => context.task('test', { ...task, backoffMs: [-0] }, 'ref', null)],
  ['the lease of a task', (context) => context.task('test', { ...task, leaseMs: LONG }, 'ref', null)],
  ['a wait of a task', (context) => context.task('test', { ...task, backoffMs: [1, LONG] }, 'ref', null)],
  ['the name of a timer', (context) => context.schedule('test', HALF, context.now + 1, null)],
  ['the scope of once', (context) => context.once(HALF, 'key', 'print', 1, () => null)],
  ['the key of once', (context) => context.once('scope', HALF, 'print', 1, () => null)],
  ['the fingerprint of once', (context) => context.once('scope', 'key', HALF, 1, () => null)],
  ['the retention of once', (context) => context.once('scope', 'key', 'print', Number.POSITIVE_INFINITY, () => null)],
  ['a long retention of once', (context) => context.once('scope', 'key', 'print', LONG, () => null)],
  ['the kind of an alert', (context) => context.alert(HALF)],
]

const task = { kind: 'work', role: 'worker', leaseMs: 1000, maxAttempts: 3, backoffMs: [10] }
const own = (context: MachineContext) => context.session?.id ?? ('0/1/0' as never)

function storable(log: Log): void {
  for (const value of swapped(log.machine).values()) if (value !== undefined) codec.encodeWalked(value)
}

describe('what a machine says beside its values stands in rows too', () => {
  test.each(bad)('FM-1 %s that no row can hold is refused when it is said, and rows stay storable', (_what, say) => {
    for (const swallow of [false, true]) {
      const log = new Log(
        bareMachine({
          say: (context) => {
            if (!swallow) return say(context)
            try {
              say(context)
            } catch {
              // A machine that goes on all the same is refused all the same.
            }
            return null
          },
        }),
      )
      const session = log.open('a')
      expect(log.request(session, 1, 'say')).toMatchObject({
        outcome: { kind: 'reject', code: 'MACHINE_ERROR', details: { reason: 'INVALID_VALUE' } },
      })
      storable(log)
    }
  })

  test('FM-1 a rejection whose code no row can hold is a machine error', () => {
    const log = new Log(bareMachine({ say: () => reject(HALF) }))
    const session = log.open('a')
    expect(log.request(session, 1, 'say')).toMatchObject({ outcome: { details: { reason: 'INVALID_VALUE' } } })
    storable(log)
  })

  test('a whole emoji is as good as any text', () => {
    const log = new Log(bareMachine({ say: (context) => context.emit(own(context), '\u{1f600}', null) }))
    const session = log.open('a')
    expect(log.request(session, 1, 'say')).toMatchObject({ outcome: { kind: 'value' } })
    storable(log)
  })
})

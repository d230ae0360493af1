import { describe, expect, test } from 'vitest'
import type { Value } from '../../../src/codec/value/value.ts'
import type { MachineContext } from '../../../src/session/user-machine.ts'
import { bareMachine, type Handler, reject } from '../bare-machine.ts'
import { Log, swapped, value } from '../log.ts'

const SHIP = { kind: 'ship', role: 'shipper', leaseMs: 1000, maxAttempts: 2, backoffMs: [10] }

const HANDLERS: Record<string, Handler> = {
  /** Does one of everything. */
  everything: (context, input) => {
    const { state } = context
    state.set('written', input)
    state.set('passing', 1)
    state.delete('passing')
    state.delete('old')
    const own = context.session
    if (own !== null) context.emit(own.id, 'note', input)
    context.schedule('m', 'soon', context.now + 50, input)
    context.cancel('m', 'armed')
    context.cancel('m', 'never')
    context.once('scope', 'key', 'print', 1000, () => 'first')
    context.alert('strange', { input })
    context.notify('user:b', 'topic', input)
    return [
      context.task('m', SHIP, 'ref', input),
      context.id('x-'),
      context.random(),
      state.range({ from: '', to: '~', limit: 10 }).map(([key]) => key),
      state.count({ from: '', to: '~' }),
      context.once('scope', 'key', 'print', 1000, () => 'second').kind,
    ]
  },
  prepare: (context) => {
    context.state.set('old', 'there')
    context.state.set('kept', 1)
    context.schedule('m', 'armed', context.now + 100_000, null)
    return null
  },
  refuse: (context) => {
    context.state.set('written', 1)
    context.alert('refused')
    return reject('NO', { why: 'test' })
  },
  explode: (context) => {
    context.state.set('written', 1)
    throw new Error('a bug')
  },
  later: async () => 1,
  /** Writes a new row on every level until the stack is full. */
  overflow: (context) => deeper(context, 0),
}

function deeper(context: MachineContext, level: number): number {
  context.state.set(`level-${level}`, level)
  context.schedule('m', `timer-${level}`, context.now + 10, null)
  return deeper(context, level + 1) + 1
}

function world() {
  const log = new Log(bareMachine(HANDLERS))
  const session = log.open('a')
  log.request(session, 1, 'prepare')
  swapped(log.machine)
  const tried = (command: string, input: Value = null) =>
    log.machine.tryCommand({ machine: 'm', command, input, principal: 'user:a', roles: [], now: log.now })
  return { log, session, tried }
}

/** All of the state that there is to see. */
const seen = (log: Log) => [
  log.machine.stateHash(),
  log.machine.appliedIndex,
  log.machine.counts,
  log.machine.nextTimerDue(),
]

describe('a command that is only tried', () => {
  test('says what it would answer, change, send, arm and queue', () => {
    const { log, tried } = world()
    expect(tried('everything', { n: 1 })).toMatchObject({
      index: log.machine.appliedIndex + 1,
      error: null,
      outcome: {
        kind: 'value',
        value: ['1-task-1', expect.stringMatching(/^x-/), expect.any(Number), ['kept', 'written'], 2, 'replayed'],
      },
      changes: [
        { key: 'user/written', before: undefined, after: { n: 1 } },
        { key: 'user/old', before: 'there', after: undefined },
      ],
      requests: [{ type: 'note', payload: { n: 1 } }],
      timers: [
        { machine: 'm', name: 'soon', dueAt: log.now + 50, payload: { n: 1 } },
        { machine: 'm', name: 'armed', dueAt: null },
      ],
      tasks: [{ taskId: '1-task-1', kind: 'ship', role: 'shipper' }],
      notifications: [{ principal: 'user:b', topic: 'topic' }],
      alerts: [{ alert: 'strange' }],
    })
  })

  test.each(['everything', 'refuse', 'explode', 'later', 'overflow'])(
    'leaves nothing behind, whatever it does: %s',
    (command) => {
      const { log, session, tried } = world()
      const before = seen(log)
      tried(command, 7)
      tried(command, 7)
      expect(seen(log)).toEqual(before)
      expect(log.reports).toEqual([])
      log.machine.checkInvariants()
      // Replicas that have not tried it go on alike, and so do the rows of the next boundary.
      const twin = world()
      for (const each of [log, twin.log]) each.request(session, 2, 'everything', { input: 3 })
      expect(log.machine.stateHash()).toBe(twin.log.machine.stateHash())
      expect([...swapped(log.machine)]).toEqual([...swapped(twin.log.machine)])
    },
  )

  test('answers as the entry does that comes next', () => {
    const { log, session, tried } = world()
    const { outcome, index } = tried('everything', 5)
    const applied = log.request(session, 2, 'everything', { input: 5 })
    expect(index).toBe(applied.kind === 'outcome' ? applied.index : 0)
    expect(outcome).toEqual({ kind: 'value', value: value(applied) })
  })

  test('a rejection changes nothing, but its alerts stay; what was thrown is told, with what it would do to a node', () => {
    const { tried } = world()
    expect(tried('refuse')).toMatchObject({
      outcome: { kind: 'reject', code: 'NO', details: { why: 'test' } },
      changes: [],
      requests: [],
      alerts: [{ alert: 'refused' }],
    })
    expect(tried('explode')).toMatchObject({
      outcome: { code: 'MACHINE_ERROR', details: { reason: 'EXCEPTION' } },
      error: 'Error: a bug',
      changes: [],
    })
    expect(tried('later')).toMatchObject({ outcome: { details: { reason: 'ASYNC_HANDLER' } } })
    expect(tried('overflow').error).toMatch(/^as an entry it would stop every node: RangeError/)
  })
})

import { describe, expect, test } from 'vitest'
import type { Value } from '../../../src/codec/value/value.ts'
import type { MachineContext, UserStateMachine } from '../../../src/session/user-machine.ts'
import { bareMachine, number } from '../bare-machine.ts'
import { code, Log, START, swapped, value } from '../log.ts'

const fired: [string, number][] = []

const scheduler = (onTimer?: UserStateMachine['onTimer']) => {
  fired.length = 0
  return bareMachine(
    {
      schedule(context: MachineContext, input: Value) {
        for (const [name, dueAt] of input as [string, number][]) context.schedule('test', name, dueAt, name)
        return null
      },
      cancel: (context, input) => context.cancel('test', String(input)),
      read: (context) => [...context.state.range({ from: '', to: '\xff', limit: 100 })].map(([key, row]) => [key, row]),
      reserved: (context) => {
        context.schedule('task', 'x', 0, null)
        return null
      },
    },
    {
      onTimer:
        onTimer ??
        ((context, { name }) => {
          fired.push([name, context.now - START])
          expect(context.session).toBeNull()
        }),
    },
  )
}

describe('durable timers', () => {
  test('fire before any entry in the order (due, id), each at its own logical time', () => {
    const log = new Log(scheduler())
    const session = log.open('a')
    log.request(session, 1, 'schedule', {
      input: [
        ['c', START + 30],
        ['b', START + 20],
        ['a', START + 20],
      ],
    })
    expect(log.machine.nextTimerDue()).toBe(START + 20)
    log.advance(100)
    log.request(session, 2, 'read')
    expect(fired).toEqual([
      ['a', 20],
      ['b', 20],
      ['c', 30],
    ])
    expect(log.machine.nextTimerDue()).toBeNull()
    expect(log.machine.counts.timers).toBe(0)
  })

  test('the outcome does not depend on whether the tick or the next command was appended first', () => {
    const run = (tickFirst: boolean) => {
      const log = new Log(
        scheduler((context, { name }) => {
          context.state.set('sum', number(context.state.get('sum')) + context.now - START)
          if (name === 'a') context.schedule('test', 'again', context.now + 5, null)
        }),
      )
      const session = log.open('a')
      log.request(session, 1, 'schedule', {
        input: [
          ['a', START + 10],
          ['b', START + 12],
        ],
      })
      log.advance(50)
      if (tickFirst) log.empty('Tick')
      return value(log.request(session, 2, 'read'))
    }
    expect(run(true)).toEqual([['sum', 37]])
    expect(run(false)).toEqual(run(true))
  })

  test('are due at least 1 ms ahead, replace each other by name, and can be cancelled', () => {
    const log = new Log(scheduler())
    const session = log.open('a')
    log.request(session, 1, 'schedule', {
      input: [
        ['past', 0],
        ['x', START + 10],
        ['x', START + 90],
        ['y', START + 5],
      ],
    })
    expect(log.machine.counts.timers).toBe(3)
    expect(value(log.request(session, 2, 'cancel', { input: 'y' }))).toBe(true)
    expect(value(log.request(session, 3, 'cancel', { input: 'y' }))).toBe(false)
    log.advance(50)
    log.empty('Tick')
    expect(fired).toEqual([['past', 1]])
    log.advance(50)
    log.empty('Tick')
    expect(fired).toEqual([
      ['past', 1],
      ['x', 90],
    ])
  })

  test('a throw drops its writes, is recorded and alerted, and the timer does not fire again', () => {
    const log = new Log(
      scheduler((context) => {
        context.state.set('half', true)
        throw new Error('a bug')
      }),
    )
    const admin = log.open('root', { principal: 'admin:root' })
    log.request(admin, 1, 'schedule', { input: [['a', START + 10]] })
    log.advance(10)
    log.empty('Tick')
    expect(log.machine.counts.timers).toBe(0)
    expect(log.machine.outbox(admin, 0, 9)).toMatchObject([
      { payload: { topic: 'admin.alert', body: { kind: 'MACHINE_ERROR', details: { part: 'timer test/a' } } } },
    ])
    expect(value(log.request(admin, 2, 'read'))).toEqual([])
    expect([...swapped(log.machine).keys()].filter((key) => key.startsWith('session/audit/'))).toHaveLength(1)
  })

  test('a firing is folded into the hash, also where its hook does nothing', () => {
    const hashAt = (ms: number): string => {
      const log = new Log(scheduler(() => undefined))
      log.request(log.open('a'), 1, 'schedule', { input: [['x', START + 10]] })
      log.now += ms
      log.empty('Tick')
      return log.machine.stateHash()
    }
    expect(hashAt(10)).not.toBe(hashAt(9))
    expect([hashAt(9), hashAt(10)]).toEqual([hashAt(8), hashAt(11)])
  })

  test('a machine cannot touch the timers of the session layer', () => {
    const log = new Log(scheduler())
    const session = log.open('a')
    expect(code(log.request(session, 1, 'reserved'))).toBe('MACHINE_ERROR')
  })

  test('a timer that is re-armed ten thousand times fires once', () => {
    const log = new Log(scheduler())
    const session = log.open('a')
    for (let request = 1; request <= 100; request += 1) {
      const input = Array.from({ length: 100 }, (_, n) => ['x', START + 1000 - n] as const)
      log.request(session, request, 'schedule', { input, lowestPendingRequestId: request })
    }
    log.advance(2000)
    log.empty('Tick')
    expect(fired).toEqual([['x', 901]])
  })
})

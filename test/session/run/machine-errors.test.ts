import { describe, expect, test } from 'vitest'
import { EngineError, InvariantError } from '../../../src/session/run/engine-error.ts'
import type { MachineContext } from '../../../src/session/user-machine.ts'
import { meaningOf } from '../../../src/session/machine-report.ts'
import { bareMachine, counter, counterHandlers, reject } from '../bare-machine.ts'
import { code, Log, swapped, value } from '../log.ts'

const error = (reason: string, index = 4) => ({
  kind: 'outcome',
  outcome: { kind: 'reject', code: 'MACHINE_ERROR', details: { machine: 'test', index, reason } },
})

describe('MACHINE_ERROR', () => {
  test('FM-3 an exception is caught: its writes are dropped, the answer is cached and says neither message nor stack', () => {
    const user = counter()
    const log = new Log(user)
    const session = log.open('a')
    const reply = log.request(session, 1, 'explode')
    expect(reply).toMatchObject(error('EXCEPTION'))
    expect(JSON.stringify(reply)).not.toContain('a bug')
    expect(log.request(session, 1, 'explode')).toEqual({ ...reply, replayed: true })
    expect(value(log.request(session, 2, 'increment'))).toBe(1)
    expect(user.calls).toEqual(['explode', 'increment'])
    expect(log.reports).toMatchObject([{ kind: 'failure', reason: 'EXCEPTION', error: { message: 'a bug' } }])
  })

  test('an error of the machine that is merely named ValueError is an exception like any other', () => {
    class ValueError extends Error {
      override readonly name = 'ValueError'
    }
    const log = new Log(
      bareMachine({
        odd: () => {
          throw new ValueError('of the machine')
        },
      }),
    )
    expect(log.request(log.open('a'), 1, 'odd')).toMatchObject(error('EXCEPTION'))
  })

  const notPlain: [string, unknown][] = [
    ['a function', () => 1],
    ['a Map', new Map()],
    ['a Date', new Date(0)],
    ['NaN', Number.NaN],
    ['−0', -0],
    ['undefined inside', { a: undefined }],
    ['a bigint', 1n],
    ['a lone surrogate', '\ud800'],
  ]

  test.each(notPlain)('FM-1 INVALID_VALUE: a machine that sets, emits or returns %s', (_name, bad) => {
    const log = new Log(
      bareMachine({
        set: (context) => context.state.set('x', bad as never),
        emit: (context) => context.emit(context.session?.id ?? ('' as never), 'x', bad as never),
        answer: () => ({ kind: 'value', value: bad }),
        refuse: () => reject('NO', bad as never),
        ask: (context) =>
          context.task('test', { kind: 'k', role: 'r', leaseMs: 1, maxAttempts: 1, backoffMs: [] }, '', bad as never),
        notify: (context) => context.notify('user:a', 'x', bad as never),
        audit: (context) => context.audit(bad as never),
        alert: (context) => context.alert('x', bad as never),
        later: (context) => context.schedule('test', 'x', 0, bad as never),
        once: (context) => void context.once('s', 'k', 'f', 1, () => bad as never),
        swallow: (context) => {
          try {
            context.state.set('x', bad as never)
          } catch {
            return 'all is well'
          }
          return null
        },
      }),
    )
    const session = log.open('a')
    const commands = ['set', 'emit', 'answer', 'refuse', 'ask', 'notify', 'audit', 'alert', 'later', 'once', 'swallow']
    for (const [at, command] of commands.entries()) {
      expect([command, log.request(session, at + 1, command)]).toMatchObject([command, error('INVALID_VALUE', 4 + at)])
    }
    expect(log.machine.counts).toMatchObject({ tasks: 0, timers: 0 })
    expect(log.pending(session)).toEqual([])
    expect([...swapped(log.machine).keys()].filter((key) => key.startsWith('user/'))).toEqual([])
  })

  test('INVALID_VALUE: a request type or a rejection code that no frame can carry', () => {
    const emitting = (type: string) => (context: MachineContext) =>
      context.emit(context.session?.id ?? ('' as never), type, null)
    const log = new Log(
      bareMachine({
        fits: emitting('é'.repeat(64)),
        long: emitting(`${'é'.repeat(64)}e`),
        codeFits: () => reject('C'.repeat(128), null),
        longCode: () => reject('C'.repeat(129), null),
      }),
    )
    const session = log.open('a')
    expect(value(log.request(session, 1, 'fits'))).toBe(true)
    expect(log.request(session, 2, 'long')).toMatchObject(error('INVALID_VALUE', 5))
    expect(code(log.request(session, 3, 'codeFits'))).toBe('C'.repeat(128))
    expect(log.request(session, 4, 'longCode')).toMatchObject(error('INVALID_VALUE', 7))
    expect(log.pending(session)).toHaveLength(1)
  })

  test('INVALID_VALUE: what is no outcome at all', () => {
    const log = new Log(
      bareMachine({ odd: () => ({ kind: 'else' }), noCode: () => ({ kind: 'reject', details: null }) }),
    )
    const session = log.open('a')
    expect(log.request(session, 1, 'odd')).toMatchObject(error('INVALID_VALUE'))
    expect(log.request(session, 2, 'noCode')).toMatchObject(error('INVALID_VALUE', 5))
  })

  test('ASYNC_HANDLER: a promise is refused, and its meaning says the way out', () => {
    const log = new Log(bareMachine({ wait: () => Promise.resolve({ kind: 'value', value: 1 }) }))
    const session = log.open('a')
    expect(log.request(session, 1, 'wait')).toMatchObject(error('ASYNC_HANDLER'))
    expect(log.reports).toMatchObject([{ kind: 'failure', reason: 'ASYNC_HANDLER' }])
    expect(meaningOf('ASYNC_HANDLER')).toContain('handlers are synchronous')
  })

  test('RESPONSE_TOO_LARGE: a response or rejection beyond the limit', () => {
    const big = 'x'.repeat(2000)
    const log = new Log(bareMachine({ big: () => big, refuse: () => reject('NO', big) }), { responseBytesMax: 1000 })
    const session = log.open('a')
    expect(log.request(session, 1, 'big')).toMatchObject(error('RESPONSE_TOO_LARGE'))
    expect(log.request(session, 2, 'refuse')).toMatchObject(error('RESPONSE_TOO_LARGE', 5))
  })

  test('D7 INTERNAL_INVARIANT: a failed invariant', () => {
    const log = new Log(
      bareMachine({
        broken: (context) => {
          context.state.set('x', 1)
          throw new InvariantError('x is never 1')
        },
      }),
    )
    const session = log.open('a')
    expect(log.request(session, 1, 'broken')).toMatchObject(error('INTERNAL_INVARIANT'))
  })

  test('a context is dead after its call', () => {
    let kept: MachineContext | null = null as MachineContext | null
    const log = new Log(bareMachine({ keep: (context) => (kept = context).index }))
    const session = log.open('a')
    log.request(session, 1, 'keep')
    expect(() => kept?.emit('0/1/3' as never, 'x', null)).toThrow('valid only during the call')
    expect(() => kept?.state).toThrow('valid only during the call')
  })
})

describe('an engine error', () => {
  const overflow = (depth: number): number => overflow(depth + 1) + 1

  test.each([
    ['a stack overflow', () => overflow(0)],
    ['an invalid array length', () => new Array(2 ** 32)],
    ['an invalid string length', () => 'x'.repeat(2 ** 30)],
  ])('%s is no outcome: it propagates, and the machine refuses to go on', (_name, fail) => {
    const log = new Log(bareMachine({ ...counterHandlers, fail }))
    const session = log.open('a')
    expect(() => log.request(session, 1, 'fail')).toThrow(EngineError)
    expect(() => log.empty('Noop')).toThrow(EngineError)
  })

  test('in a timer it names the timer', () => {
    const log = new Log(
      bareMachine(
        { later: (context) => context.schedule('test', 'deep', 0, null) ?? null },
        { onTimer: () => void overflow(0) },
      ),
    )
    const session = log.open('a')
    log.request(session, 1, 'later')
    log.advance(1)
    expect(() => log.empty('Tick')).toThrow('timer test/deep')
  })

  test('a RangeError that is a function of its arguments is an ordinary bug', () => {
    const log = new Log(bareMachine({ digits: () => (1).toFixed(101) }))
    const session = log.open('a')
    expect(log.request(session, 1, 'digits')).toMatchObject(error('EXCEPTION'))
  })
})

describe('the user machine', () => {
  test('UPR-1 UPR-2 UINV-2 it gets the state and the decoded command', () => {
    const seen: unknown[] = []
    const log = new Log(bareMachine({ look: (context, input) => seen.push(input, context.state.get('x')) }))
    const session = log.open('a')
    log.request(session, 1, 'look', { input: { list: [1, 'two', null], bytes: Uint8Array.of(1) } })
    expect(seen).toEqual([{ list: [1, 'two', null], bytes: Uint8Array.of(1) }, undefined])
  })

  test('UINV-1 a value once set is frozen, so an old state is never touched', () => {
    const log = new Log(
      bareMachine({
        set: (context) => context.state.set('x', { list: [1] }) ?? null,
        mutate: (context) => {
          const row = context.state.get('x') as { list: number[] }
          row.list.push(2)
          return null
        },
        read: (context) => context.state.get('x'),
      }),
    )
    const session = log.open('a')
    log.request(session, 1, 'set')
    expect(code(log.request(session, 2, 'mutate'))).toBe('MACHINE_ERROR')
    expect(value(log.request(session, 3, 'read'))).toEqual({ list: [1] })
  })

  test('Q-011 Q-003 a query reads the applied state, never mutates and never enters the log', () => {
    const log = new Log(
      bareMachine(counterHandlers, {
        query: (view, { query }) => {
          if (query === 'bad') throw new Error('a bug')
          if (query === 'nan') return { kind: 'value', value: Number.NaN }
          if (query === 'long code') return reject('C'.repeat(129), null)
          if (query === 'large') return { kind: 'value', value: 'x'.repeat(2 * 1024 * 1024) }
          return {
            kind: 'value',
            value: {
              count: view.state.get('count') ?? 0,
              has: view.state.has('count'),
              rows: view.state.count({ from: '', to: '\xff' }),
              range: view.state.range({ from: '', to: '\xff', limit: 5, reverse: true }).map(([key]) => key),
              index: view.index,
              who: view.session?.name ?? null,
            },
          }
        },
      }),
    )
    const session = log.open('a')
    log.request(session, 1, 'increment')
    const hash = log.machine.stateHash()
    const ask = (query: string) => log.machine.query({ machine: 'test', query, input: null, session })
    expect(ask('all')).toEqual({
      kind: 'value',
      value: { count: 1, has: true, rows: 1, range: ['count'], index: 4, who: 'a' },
    })
    expect(ask('bad')).toMatchObject({ code: 'MACHINE_ERROR', details: { reason: 'EXCEPTION' } })
    expect(ask('nan')).toMatchObject({ code: 'MACHINE_ERROR', details: { reason: 'INVALID_VALUE' } })
    expect(ask('long code')).toMatchObject({ code: 'MACHINE_ERROR', details: { reason: 'INVALID_VALUE' } })
    expect(ask('large')).toMatchObject({ code: 'MACHINE_ERROR', details: { reason: 'RESPONSE_TOO_LARGE' } })
    expect(log.machine.stateHash()).toBe(hash)
    const bare = new Log(counter())
    expect(bare.machine.query({ machine: 'test', query: 'all', input: null, session: null })).toMatchObject({
      code: 'UNKNOWN_QUERY',
    })
  })
})

import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Value } from '../../../src/codec/value/value.ts'
import { bareMachine, type Handler, number, reject } from '../bare-machine.ts'
import { code, Log, swapped, value } from '../log.ts'

const ask = (handler: Handler, input: Value = null): Value => {
  const log = new Log(bareMachine({ ask: handler }))
  return value(log.request(log.open('a'), 1, 'ask', { input }))
}

describe('state', () => {
  const rows = (context: Parameters<Handler>[0], reverse = false, limit = 100) =>
    context.state.range({ from: 'a', to: 'e', limit, reverse }).map(([key, row]) => `${key}${String(row)}`)

  test('a range sees the transaction’s own writes and deletions, in byte order and from the end', () => {
    const log = new Log(
      bareMachine({
        fill: (context) => {
          for (const key of ['b', 'd', 'c', 'e', 'a']) context.state.set(key, 1)
          return rows(context)
        },
        change: (context) => {
          context.state.set('bb', 2)
          context.state.set('c', 2)
          const had = context.state.delete('d')
          return [
            had,
            context.state.delete('d'),
            ...rows(context),
            '|',
            ...rows(context, true),
            '|',
            ...rows(context, false, 2),
            '|',
            ...rows(context, true, 2),
            context.state.count({ from: 'a', to: 'e' }),
            context.state.has('d'),
          ]
        },
        count: (context) => context.state.count({ from: '', to: '\xff' }),
      }),
    )
    const session = log.open('a')
    expect(value(log.request(session, 1, 'fill'))).toEqual(['a1', 'b1', 'c1', 'd1'])
    expect(value(log.request(session, 2, 'change'))).toEqual([
      true,
      false,
      'a1',
      'b1',
      'bb2',
      'c2',
      '|',
      'c2',
      'bb2',
      'b1',
      'a1',
      '|',
      'a1',
      'b1',
      '|',
      'c2',
      'bb2',
      4,
      false,
    ])
    expect(value(log.request(session, 3, 'count'))).toBe(5)
  })

  test('a range without a limit and a key that is not binary are bugs of the machine', () => {
    const log = new Log(
      bareMachine({
        range: (context) => context.state.range({ from: '', to: 'x' } as never).length,
        key: (context) => context.state.set('€', 1) ?? null,
      }),
    )
    const session = log.open('a')
    expect(code(log.request(session, 1, 'range'))).toBe('MACHINE_ERROR')
    expect(code(log.request(session, 2, 'key'))).toBe('MACHINE_ERROR')
  })
})

describe('the context', () => {
  test('knows time, index, incarnation and the issuing session', () => {
    expect(ask((context) => [context.index, context.incarnation, context.session?.principal ?? null])).toEqual([
      4,
      1,
      'user:a',
    ])
  })

  test('id and random are unique per call and seeded by incarnation and index', () => {
    const draw: Handler = (context) => [context.id('x-'), context.id('x-'), context.random(), context.random()]
    const [first, second, a, b] = ask(draw) as [string, string, number, number]
    expect([first, second]).toEqual(['x-1-4-1', 'x-1-4-2'])
    expect(a).not.toBe(b)
    expect(a >= 0 && a < 1).toBe(true)
    expect(ask(draw)).toEqual([first, second, a, b])
  })

  test('hash is SHA-256 and log goes to the host', () => {
    const log = new Log(
      bareMachine({
        ask: (context) => {
          context.log('hello', { n: 1 })
          return context.hash(Uint8Array.of(1, 2, 3))
        },
      }),
    )
    expect(value(log.request(log.open('a'), 1, 'ask'))).toEqual(
      new Uint8Array(
        createHash('sha256')
          .update(Uint8Array.of(1, 2, 3))
          .digest(),
      ),
    )
    expect(log.reports).toEqual([{ kind: 'line', machine: null, index: 4, message: 'hello', fields: { n: 1 } }])
  })

  test('principalsKnown lists every principal of a kind that a session was ever bound to, sorted', () => {
    const log = new Log(
      bareMachine({ ask: (context) => [...context.principalsKnown('admin:'), ...context.principalsKnown('user:')] }),
    )
    log.open('z', { principal: 'admin:z' })
    const gone = log.open('b', { principal: 'admin:b' })
    log.append('CloseSession', { group: 0, incarnation: 1, index: gone, epoch: 0, secretHash: new Uint8Array(0) })
    expect(value(log.request(log.open('a'), 1, 'ask'))).toEqual(['admin:b', 'admin:z', 'user:a'])
  })
})

describe('once', () => {
  const once: Handler = (context, input) => {
    const { key, fingerprint } = input as { key: string; fingerprint: string }
    const result = context.once('pay', key, fingerprint, 1000, () => {
      context.state.set('runs', number(context.state.get('runs')) + 1)
      return number(context.state.get('runs'))
    })
    return 'value' in result ? [result.kind, result.value] : [result.kind]
  }

  test('runs at the first use, replays the stored result, refuses another fingerprint, over sessions', () => {
    const log = new Log(bareMachine({ once }))
    const a = log.open('a')
    const b = log.open('b')
    expect(value(log.request(a, 1, 'once', { input: { key: 'k', fingerprint: 'f' } }))).toEqual(['fresh', 1])
    expect(value(log.request(b, 1, 'once', { input: { key: 'k', fingerprint: 'f' } }))).toEqual(['replayed', 1])
    expect(value(log.request(b, 2, 'once', { input: { key: 'k', fingerprint: 'g' } }))).toEqual(['conflict'])
    expect(value(log.request(b, 3, 'once', { input: { key: 'l', fingerprint: 'f' } }))).toEqual(['fresh', 2])
  })

  test('is forgotten after its retention, and by a rejection', () => {
    const log = new Log(bareMachine({ once, onceAndRefuse: (...given) => reject('NO', once(...given) as Value) }))
    const session = log.open('a')
    const input = { key: 'k', fingerprint: 'f' }
    expect(log.request(session, 1, 'onceAndRefuse', { input })).toMatchObject({ outcome: { details: ['fresh', 1] } })
    expect(value(log.request(session, 2, 'once', { input }))).toEqual(['fresh', 1])
    log.advance(1000)
    expect(value(log.request(session, 3, 'once', { input }))).toEqual(['fresh', 2])
    const rows = log.machine.counts.rows
    log.advance(1001)
    log.empty('Noop')
    expect(log.machine.counts.rows).toBe(rows - 1)
  })
})

describe('what survives a rejection', () => {
  const keep: Handler = (context) => {
    context.state.set('gone', 1)
    context.audit({ what: 'tried' })
    context.alert('SUSPICIOUS', { by: 'a' })
    context.afterReject((after) => after.state.set('kept', 1))
    return null
  }
  const handlers: Record<string, Handler> = {
    accept: keep,
    refuse: (context, input) => {
      keep(context, input)
      return reject('NO')
    },
    explode: (context, input) => {
      keep(context, input)
      throw new Error('a bug')
    },
    badAfter: (context) => {
      context.afterReject((after) => {
        after.state.set('half', 1)
        throw new Error('a bug')
      })
      return reject('NO')
    },
  }

  const run = (command: string) => {
    const log = new Log(bareMachine(handlers))
    const admin = log.open('root', { principal: 'admin:root' })
    const session = log.open('a')
    swapped(log.machine)
    log.request(session, 1, command)
    const keys = [...swapped(log.machine).keys()]
    return {
      user: keys.filter((key) => key.startsWith('user/')),
      audited: keys.filter((key) => key.startsWith('session/audit/')).length,
      alerts: log.machine
        .outbox(admin, 0, 9)
        .map((request) => (request.payload as { body: { kind: string } }).body.kind),
    }
  }

  test('audit records, alerts and afterReject survive a rejection', () => {
    expect(run('refuse')).toEqual({ user: ['user/kept'], audited: 1, alerts: ['SUSPICIOUS'] })
  })

  test('an accepted command keeps its writes and does not run afterReject', () => {
    expect(run('accept')).toEqual({ user: ['user/gone'], audited: 1, alerts: ['SUSPICIOUS'] })
  })

  test('a throw drops them all', () => {
    expect(run('explode')).toEqual({ user: [], audited: 0, alerts: [] })
  })

  test('an afterReject that throws is dropped, recorded and alerted', () => {
    expect(run('badAfter')).toEqual({ user: [], audited: 1, alerts: ['MACHINE_ERROR'] })
  })

  test('audit records are bounded, the oldest goes first', () => {
    const log = new Log(
      bareMachine({
        many: (context) => {
          for (let n = 0; n < 6000; n += 1) context.audit(n)
          return null
        },
      }),
    )
    const session = log.open('a')
    const rows = log.machine.counts.rows
    log.request(session, 1, 'many')
    log.request(session, 2, 'many')
    expect(log.machine.counts.rows - rows).toBe(10_000 + 2)
  })
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect, ConnectError, type SessionToken } from '../../src/client/index.ts'
import type { Value } from '../../src/codec/value/value.ts'
import { compileOnce } from '../cluster/processes.ts'
import { expectExplained, ServedNode } from './served-node.ts'

const MIB = 1024 * 1024

let node: ServedNode
beforeAll(async () => {
  compileOnce()
  node = await ServedNode.start()
}, 120_000)
afterAll(() => node?.close())

describe('a command that cannot be executed is refused before the log', () => {
  const cases: readonly (readonly [
    what: string,
    call: readonly [string, string, Value],
    code: string,
    details: object,
  ])[] = [
    [
      'an unknown machine',
      ['regster', 'write', { key: 'kept', value: 'x' }],
      'UNKNOWN_MACHINE',
      { message: expect.stringContaining('register') },
    ],
    [
      'an unknown command',
      ['register', 'wirte', { key: 'kept', value: 'x' }],
      'UNKNOWN_COMMAND',
      { message: expect.stringContaining('write') },
    ],
    [
      'a missing field',
      ['register', 'write', { key: 'kept' }],
      'VALIDATION_ERROR',
      { issues: [{ path: '.value', message: expect.any(String) }] },
    ],
    [
      'a wrong type',
      ['counter', 'increment', { name: 'kept', by: 'one' }],
      'VALIDATION_ERROR',
      { issues: [{ path: '.by', message: expect.any(String) }] },
    ],
    [
      'a fraction for an integer',
      ['counter', 'increment', { name: 'kept', by: 0.5 }],
      'VALIDATION_ERROR',
      { issues: [{ path: '.by' }] },
    ],
    [
      'a field that nobody asked for',
      ['register', 'write', { key: 'kept', value: 'x', also: 1 }],
      'VALIDATION_ERROR',
      { issues: [{ message: expect.stringContaining('also') }] },
    ],
    ['no object at all', ['payments', 'paymentCallback', 'Body'], 'VALIDATION_ERROR', {}],
    [
      'a value beyond the machine’s bound',
      ['register', 'write', { key: 'kept', value: 'x'.repeat(65 * 1024) }],
      'VALIDATION_ERROR',
      { issues: [{ path: '.value' }] },
    ],
    [
      'a command beyond the cluster’s bound',
      ['register', 'write', { key: 'kept', value: 'x'.repeat(MIB) }],
      'COMMAND_TOO_LARGE',
      { max: MIB, bytes: expect.any(Number) },
    ],
    [
      'a command beyond what a frame can carry',
      ['register', 'write', { key: 'kept', value: 'x'.repeat(8 * MIB) }],
      'COMMAND_TOO_LARGE',
      { bytes: expect.any(Number), max: expect.any(Number) },
    ],
  ]
  test.each(cases)('P-07 UPC-4 %s', async (_what, [machine, command, input], code, details) => {
    const before = await node.position()
    const outcome = await node.session.execute(machine, command, input)
    expect(outcome).toMatchObject({ kind: 'notExecuted', code, details })
    expectExplained('request', code)
    expect(await node.position()).toEqual(before)
    await node.expectUnharmed()
  })

  test('a query of an unknown machine, of an unknown name, and of a wrong input', async () => {
    const before = await node.position()
    expect(await node.session.query('regster', 'read', { key: 'kept' })).toMatchObject({
      kind: 'failed',
      code: 'UNKNOWN_MACHINE',
    })
    expect(await node.session.query('register', 'raed', { key: 'kept' })).toMatchObject({
      kind: 'failed',
      code: 'UNKNOWN_QUERY',
    })
    expect(await node.session.query('register', 'read', { key: 5 })).toMatchObject({
      kind: 'failed',
      code: 'VALIDATION_ERROR',
    })
    for (const code of ['UNKNOWN_MACHINE', 'UNKNOWN_QUERY', 'VALIDATION_ERROR']) expectExplained('query', code)
    expect(await node.position()).toEqual(before)
    await node.expectUnharmed()
  })

  test('commands behind a refused one are executed', async () => {
    const outcomes = await Promise.all([
      node.session.execute('register', 'write', { key: 'beside', value: '1' }),
      node.session.execute('register', 'wirte', {}),
      node.session.execute('register', 'write', { key: 'beside', value: 'x'.repeat(2 * MIB) }),
      node.session.execute('register', 'write', { key: 'beside', value: '2' }),
    ])
    expect(outcomes.map((outcome) => outcome.kind)).toEqual(['ok', 'notExecuted', 'notExecuted', 'ok'])
    expect(await node.session.execute('register', 'read', { key: 'beside' })).toMatchObject({ value: '2' })
    await node.expectUnharmed()
  })
})

describe('a session that is not the caller’s', () => {
  const resumed = (resume: SessionToken): Promise<unknown> =>
    connect({ endpoints: [node.endpoint], principal: 'user:tester', resume }).then(
      () => null,
      (error: unknown) => error,
    )
  const cases: readonly (readonly [what: string, change: (token: SessionToken) => SessionToken, code: string])[] = [
    ['P-26 a malformed secret', (token) => ({ ...token, secret: 'abcdef' }), 'INVALID'],
    ['P-26 a wrong secret', (token) => ({ ...token, secret: '00'.repeat(32) }), 'SESSION_UNKNOWN'],
    [
      'P-26 an index that is no session’s',
      (token) => ({ ...token, index: token.index + 1_000_000 }),
      'SESSION_UNKNOWN',
    ],
    ['P-19 another incarnation', (token) => ({ ...token, incarnation: token.incarnation + 1 }), 'CLUSTER_CHANGED'],
    ['P-19 another group', (token) => ({ ...token, group: 9 }), 'WRONG_GROUP'],
  ]
  test.each(cases)('%s is refused, and its holder keeps it', async (_what, change, code) => {
    const { token } = node.session
    if (token === null) throw new Error('an open session has a token')
    const error = await resumed(change(token))
    expect(error).toBeInstanceOf(ConnectError)
    expect(error).toMatchObject({ code })
    expectExplained('attach', code)
    await node.expectUnharmed()
  })

  test.each(['system', 'system:timer', 'nobody', '', 'User:1'])(
    'P-07 the principal "%s" is refused',
    async (principal) => {
      const opened = connect({ endpoints: [node.endpoint], principal })
      await expect(opened).rejects.toMatchObject({ code: 'PRINCIPAL_INVALID' })
      expectExplained('open', 'PRINCIPAL_INVALID')
      await node.expectUnharmed()
    },
  )
})

import { describe, expect, test } from 'vitest'
import { sessionCodec } from '../../src/codec/session-codec.ts'
import { explainError } from '../../src/protocol/errors.ts'
import type { QueryMessage } from '../../src/protocol/up-frame.ts'
import { attachedClient, command, connect, openRequest, SECRET, worldOf } from './recorder.ts'

const query = (consistency: QueryMessage['consistency'], minIndex = 0): QueryMessage => ({
  kind: 'query',
  channel: 0,
  correlationId: 1,
  consistency,
  incarnation: 0,
  minIndex,
  machine: 't',
  query: 'get',
  input: sessionCodec.encodeValue(null),
})
const details = { reason: 'DIVERGED', leader: '', address: '' }

describe('at a node that has halted', () => {
  const halt = { code: 'DIVERGED', message: 'another state', index: 9 } as const

  test('everything is refused with a code that says to go elsewhere, the cached answer of a command too', () => {
    const world = worldOf()
    const { connection, recorder, session, epoch } = attachedClient(world)
    connection.receiveRequest(command(1))
    world.node.run()
    recorder.take()
    world.node.halted = halt
    world.node.leader = null
    world.node.leading = false
    connection.receiveRequest(command(1))
    connection.receiveRequest(command(2))
    connection.receiveQuery(query('stale'))
    connection.receiveQuery(query('sequential'))
    connection.receiveAck(1, 1)
    connection.receivePing(1)
    connection.receiveClose(1)
    connection.receiveOpen(openRequest(world, { channel: 2 }))
    const again = { channel: 3, secret: SECRET, replaces: epoch, nonce: Buffer.alloc(16, 5) }
    connection.receiveAttach({ kind: 'attach', ...session, ...again })
    const refused = { code: 'HALTED', details }
    const position = { index: world.node.machine.appliedIndex, incarnation: 1 }
    expect(recorder.take()).toEqual([
      ['responded', 1, 1, { kind: 'notExecuted', ...refused }],
      ['responded', 1, 2, { kind: 'notExecuted', ...refused }],
      ['queried', 1, position, { kind: 'refused', ...refused }],
      ['queried', 1, position, { kind: 'refused', ...refused }],
      ['refused', 1, 'ack', refused],
      ['refused', 1, 'ping', refused],
      ['refused', 1, 'close', refused],
      ['refused', 2, 'open', refused],
      ['refused', 3, 'attach', refused],
    ])
    expect(connect(world).connection.bind(1, session, { epoch, secret: SECRET })).toEqual(refused)
    for (const scope of ['request', 'open', 'attach', 'session', 'query'] as const)
      expect(explainError(scope, 'HALTED')).toMatchObject({ retryable: true, status: 'UNAVAILABLE' })
  })

  test('a query that waits for its index is told so when the node halts, and whom to ask', () => {
    const world = worldOf()
    const { connection, recorder } = connect(world)
    world.node.role = 'follower'
    connection.receiveQuery(query('sequential', 100))
    world.node.halted = halt
    world.clock.advance(6000)
    const told = { code: 'HALTED', details: { reason: 'DIVERGED', leader: 'n1', address: 'address-of-n1' } }
    expect(recorder.take().map(([, , , answer]) => answer)).toEqual([{ kind: 'refused', ...told }])
  })
})

import { describe, expect, test } from 'vitest'
import { nodeId } from '../../src/base/brand.ts'
import { encodePayload } from '../../src/codec/entry/payload-codec.ts'
import { sessionCodec } from '../../src/codec/session-codec.ts'
import { attachAgain, attachedClient, command, connect, openRequest, SECRET, worldOf } from './recorder.ts'
import { attachOf } from './riding.ts'

/** An object that nests `depth` deep in all, as bytes. */
function nested(depth: number): Uint8Array {
  let bytes = sessionCodec.encodeValue(null)
  // A fixmap of one entry, key "a", by hand: a client may send what no encoder writes.
  for (let level = 0; level < depth; level += 1) bytes = Buffer.concat([Buffer.from([0x81, 0xa1, 0x61]), bytes])
  return bytes
}

describe('opening', () => {
  test('P-05 is idempotent in the secret, and the reply comes before any server request', () => {
    const world = worldOf()
    const { connection, recorder } = connect(world)
    connection.receiveOpen(openRequest(world))
    connection.receiveOpen(openRequest(world))
    world.node.run()
    expect(recorder.take()).toEqual([
      ['opened', 1, { group: 0, incarnation: 1, index: 3 }, false],
      ['opened', 1, { group: 0, incarnation: 1, index: 3 }, true],
    ])
  })

  test.each([
    ['the principal system', { principal: 'system' }, 'PRINCIPAL_INVALID'],
    ['a principal of kind system', { principal: 'system:1' }, 'PRINCIPAL_INVALID'],
    ['a principal without a kind', { principal: 'anna' }, 'PRINCIPAL_INVALID'],
    ['an empty principal', { principal: '' }, 'PRINCIPAL_INVALID'],
    ['a principal with a space', { principal: 'user:a b' }, 'PRINCIPAL_INVALID'],
    ['a short secret', { secret: Buffer.alloc(15) }, 'INVALID'],
    ['a long secret', { secret: Buffer.alloc(65) }, 'INVALID'],
    ['a timeout of 0', { timeoutMs: 0 }, 'INVALID'],
    ['a validUntil too far ahead', { validUntil: 1_000_000_000 }, 'INVALID'],
    ['capabilities that are no object', { capabilities: sessionCodec.encodeValue([1]) }, 'INVALID'],
    ['capabilities that do not decode', { capabilities: Buffer.from([0xc1]) }, 'INVALID'],
    ['a role that is no name', { roles: ['a role'] }, 'INVALID'],
    ['a name of 513 characters', { name: 'x'.repeat(513) }, 'INVALID'],
    ['a timeout of more than ten years', { timeoutMs: 315_360_000_001 }, 'INVALID'],
    ['65 roles', { roles: Array.from({ length: 65 }, () => 'role') }, 'INVALID'],
    ['a client that nests its capabilities without end', { capabilities: nested(500) }, 'INVALID'],
  ])('%s is refused before append', (_name, overrides, code) => {
    const world = worldOf()
    const { connection, recorder } = connect(world)
    connection.receiveOpen(openRequest(world, overrides))
    expect(recorder.take()).toMatchObject([['refused', 1, 'open', { code }]])
    expect(world.node.submitted).toEqual([])
  })

  test('capabilities that nest 32 deep are opened, and deeper ones refused', () => {
    const world = worldOf()
    const { connection, recorder } = connect(world)
    for (let depth = 20; depth < 60; depth += 1) {
      connection.receiveOpen(openRequest(world, { secret: Buffer.alloc(32, depth), capabilities: nested(depth) }))
      world.node.run()
      const [heard] = recorder.take()
      if (depth <= 32) expect(heard?.[0]).toBe('opened')
      else expect(heard).toMatchObject(['refused', 1, 'open', { code: 'INVALID', details: { field: 'capabilities' } }])
    }
  })

  test('an epoch that no log could hold is refused before it reaches a payload', () => {
    const world = worldOf()
    const { session } = attachedClient(world)
    const { connection } = connect(world)
    for (const epoch of [1e19, -1, 0.5]) {
      const bad = connection.bind(1, session, { epoch, secret: SECRET })
      expect(bad).toMatchObject({ code: 'INVALID', details: { field: 'epoch' } })
    }
    expect(connection.bind(1, session, { epoch: 4, secret: SECRET })).toBe(null)
  })

  test('refusals of apply and of the node are told with their subject', () => {
    const world = worldOf({ limits: { sessionsMax: 1 } })
    attachedClient(world)
    const { connection, recorder } = connect(world)
    connection.receiveOpen(openRequest(world, { secret: Buffer.alloc(32, 9) }))
    connection.receiveOpen(openRequest(world, { principal: 'user:2' }))
    world.node.run()
    expect(recorder.take()).toMatchObject([
      ['refused', 1, 'open', { code: 'TOO_MANY_SESSIONS' }],
      ['refused', 1, 'open', { code: 'OPEN_CONFLICT' }],
    ])
    connection.receiveOpen(openRequest(world, { secret: Buffer.alloc(32, 8) }))
    world.node.loseLead(nodeId('n3'))
    expect(recorder.take()).toMatchObject([
      ['refused', 1, 'open', { code: 'NOT_LEADER', details: { leader: 'n3' } }],
      ['leaderChanged', 'n3', 'address-of-n3'],
    ])
    connection.receiveOpen(openRequest(world))
    expect(recorder.take()).toMatchObject([['refused', 1, 'open', { code: 'NOT_LEADER' }]])
  })
})

describe('attaching', () => {
  test('P-19 P-26 a wrong secret and an unknown session look the same', () => {
    const world = worldOf()
    const { session } = attachedClient(world)
    const { connection, recorder } = connect(world)
    const attach = {
      kind: 'attach' as const,
      ...session,
      channel: 1,
      secret: SECRET,
      replaces: 0,
      nonce: Buffer.alloc(16, 3),
    }
    connection.receiveAttach({ ...attach, secret: Buffer.alloc(32, 8) })
    connection.receiveAttach({ ...attach, index: 99 })
    world.node.run()
    const [wrong, unknown] = recorder.take()
    expect(wrong).toEqual(['refused', 1, 'attach', { code: 'SESSION_UNKNOWN', details: null }])
    expect(unknown).toEqual(wrong)
  })

  test('FR-011 a session of another incarnation or group is told apart', () => {
    const world = worldOf()
    const { session } = attachedClient(world)
    const { connection, recorder } = connect(world)
    const attach = {
      kind: 'attach' as const,
      ...session,
      channel: 1,
      secret: SECRET,
      replaces: 0,
      nonce: Buffer.alloc(16, 3),
    }
    connection.receiveAttach({ ...attach, incarnation: 2 })
    connection.receiveAttach({ ...attach, group: 5 })
    connection.receiveAttach({ ...attach, nonce: Buffer.alloc(3) })
    connection.receiveAttach({ ...attach, channel: 0 })
    expect(recorder.take().map(([, , , bad]) => (bad as { code: string }).code)).toEqual([
      'CLUSTER_CHANGED',
      'WRONG_GROUP',
      'INVALID',
      'INVALID',
    ])
  })

  test('the superseded connection is told, and only the new one is served', () => {
    const world = worldOf()
    const first = attachedClient(world)
    const second = attachAgain(world, connect(world), first.session, first.epoch, 2)
    expect(first.recorder.take()).toEqual([['superseded', 1]])
    first.connection.receiveRequest(command(1))
    expect(first.recorder.take()).toMatchObject([['responded', 1, 1, { code: 'NOT_ATTACHED' }]])
    second.connection.receiveRequest(command(1))
    world.node.run()
    expect(second.recorder.take().length).toBe(1)
    expect([...world.node.attachedSessions]).toEqual([first.session.index])
  })

  test('the superseded channel is told too when the new one is of the same connection', () => {
    const world = worldOf()
    const { connection, recorder, session, epoch } = attachedClient(world)
    connection.receiveAttach(attachOf(session, epoch, { channel: 2 }))
    world.node.run()
    expect(recorder.take().map(([name, channel]) => [name, channel])).toEqual([
      ['superseded', 1],
      ['attached', 2],
    ])
    connection.receiveRequest(command(1))
    expect(recorder.take()).toMatchObject([['responded', 1, 1, { code: 'NOT_ATTACHED' }]])
    connection.receiveRequest(command(1, 'echo', 1, { channel: 2 }))
    world.node.run()
    expect(recorder.take()).toMatchObject([['responded', 2, 1, { kind: 'outcome' }]])
  })

  test('attaching against the wrong epoch is a conflict that names the current one', () => {
    const world = worldOf()
    const first = attachedClient(world)
    const { connection, recorder } = connect(world)
    connection.receiveAttach({
      kind: 'attach',
      ...first.session,
      channel: 1,
      secret: SECRET,
      replaces: 0,
      nonce: Buffer.alloc(16, 9),
    })
    world.node.run()
    expect(recorder.take()).toEqual([
      ['refused', 1, 'attach', { code: 'ATTACH_CONFLICT', details: { current: first.epoch } }],
    ])
  })

  test('a repeated nonce on a new connection takes over what the old one has in flight, and duplicates join it', () => {
    const world = worldOf()
    const first = attachedClient(world)
    first.connection.receiveRequest(command(1))
    const inFlight = world.node.queue.splice(0)
    const second = attachAgain(world, connect(world), first.session, 0, 1)
    expect(second.epoch).toBe(first.epoch)
    second.connection.receiveRequest(command(1))
    expect(world.node.queue.length).toBe(0)
    world.node.queue.push(...inFlight)
    world.node.run()
    expect(second.recorder.take().map(([name]) => name)).toEqual(['responded'])
    expect(first.recorder.take()).toEqual([['superseded', 1]])
  })

  test('a connection holds as many sessions as it may, and no more', () => {
    const world = worldOf({ gateway: { channelsMax: 1 } })
    const { connection, recorder, session, epoch } = attachedClient(world)
    connection.receiveAttach({
      kind: 'attach',
      ...session,
      channel: 2,
      secret: SECRET,
      replaces: epoch,
      nonce: Buffer.alloc(16, 9),
    })
    expect(recorder.take()).toEqual([['refused', 2, 'attach', { code: 'TOO_MANY_CHANNELS', details: { max: 1 } }]])
  })

  test('attaching again on the same connection keeps one attachment', () => {
    const world = worldOf()
    const first = attachedClient(world)
    const again = attachAgain(world, first, first.session, first.epoch, 2)
    expect(again.rest).toEqual([])
    expect(world.gateway.attachedCount).toBe(1)
    again.connection.receiveRequest(command(1))
    world.node.run()
    expect(again.recorder.take().map(([name]) => name)).toEqual(['responded'])
  })
})

describe('staying alive and ending', () => {
  test('P-20 a ping is answered only after its renewal was applied', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world)
    connection.receivePing(1)
    expect(recorder.take()).toEqual([])
    world.node.run()
    expect(recorder.take()).toEqual([['pong', 1]])
    connection.receivePing(5)
    expect(recorder.take()).toMatchObject([['refused', 5, 'ping', { code: 'NOT_ATTACHED' }]])
  })

  test('a ping on the channel of no session is answered at once, without an entry, and also by a follower', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world)
    world.node.loseLead(null)
    recorder.take()
    const entries = world.node.submitted.length
    connection.receivePing(0)
    expect(recorder.take()).toEqual([['pong', 0]])
    expect(world.node.submitted).toHaveLength(entries)
  })

  test('P-21 P-24 an expired session is told to its connection, and then it is unknown', () => {
    const world = worldOf()
    const { connection, recorder, session } = attachedClient(world)
    const facts = world.node.machine.sessionFacts(session.index)
    world.node.now += 60_000
    world.node.append(
      'ExpireSessions',
      encodePayload('ExpireSessions', { sessions: [{ ...session, renewedAtIndex: facts?.renewedAtIndex ?? 0 }] }),
    )
    world.node.run()
    expect(recorder.take()).toEqual([['ended', 1, 'expired']])
    connection.receiveRequest(command(1))
    expect(recorder.take()).toMatchObject([['responded', 1, 1, { code: 'NOT_ATTACHED' }]])
    connection.receiveAttach({
      kind: 'attach',
      ...session,
      channel: 1,
      secret: SECRET,
      replaces: 0,
      nonce: Buffer.alloc(16, 3),
    })
    world.node.run()
    expect(recorder.take()).toMatchObject([
      ['refused', 1, 'attach', { code: 'SESSION_EXPIRED', details: { reason: 'expired' } }],
    ])
  })

  test('a close is ordered after what was sent before it, and is answered once', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world)
    connection.receiveRequest(command(1))
    connection.receiveClose(1)
    world.node.run()
    expect(recorder.take().map(([name]) => name)).toEqual(['responded', 'closed'])
    expect(world.gateway.attachedCount).toBe(0)
    connection.receiveClose(1)
    expect(recorder.take()).toMatchObject([['refused', 1, 'close', { code: 'NOT_ATTACHED' }]])
  })

  test('a close that was lost with the leader is told, and the session stays attached', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world)
    connection.receiveClose(1)
    world.node.loseLead(null)
    expect(recorder.take()).toMatchObject([
      ['refused', 1, 'close', { code: 'NOT_LEADER' }],
      ['leaderChanged', '', ''],
    ])
    expect(world.gateway.attachedCount).toBe(1)
  })

  test('a node that stops tells every connection', () => {
    const world = worldOf()
    const { recorder } = attachedClient(world)
    world.node.stop('IO_ERROR')
    expect(recorder.take()).toEqual([['failed', 'IO_ERROR', 'the disk is gone']])
    expect(world.gateway.connectionCount).toBe(0)
  })

  test('bind proves a session by its secret without an entry, and refuses strangers alike', () => {
    const world = worldOf()
    const first = attachedClient(world)
    const { connection, recorder } = connect(world)
    expect(connection.bind(1, first.session, { epoch: first.epoch, secret: Buffer.alloc(32, 1) })).toEqual({
      code: 'SESSION_UNKNOWN',
      details: null,
    })
    expect(connection.bind(1, { ...first.session, index: 77 }, { epoch: 1, secret: SECRET })).toEqual({
      code: 'SESSION_UNKNOWN',
      details: null,
    })
    expect(connection.bind(1, first.session, { epoch: 1, secret: Buffer.alloc(2) })).toMatchObject({ code: 'INVALID' })
    expect(connection.bind(1, first.session, { epoch: first.epoch, secret: SECRET })).toBe(null)
    connection.receiveRequest(command(1))
    world.node.run()
    expect(recorder.take()).toMatchObject([['responded', 1, 1, { kind: 'outcome' }]])
    connection.end()
    expect(world.gateway.attachedCount).toBe(1)
  })
})

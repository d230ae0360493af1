import { describe, expect, test } from 'vitest'
import { nodeId } from '../../src/base/brand.ts'
import { encodePayload } from '../../src/codec/entry/payload-codec.ts'
import type { SessionNumbers } from '../../src/codec/entry/payload.ts'
import type { MachineContext } from '../../src/session/user-machine.ts'
import { attachAgain, attachedClient, command, connect, type Heard, openRequest, SECRET, worldOf } from './recorder.ts'

const ids = (heard: readonly Heard[]): unknown[] =>
  heard.filter(([name]) => name === 'serverRequest').map(([, , id]) => id)

describe('server requests', () => {
  test('FR-018 S-07 P-11 go to the attached connection in id order, after the response that caused them', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world)
    connection.receiveRequest(command(1, 'emit', 3))
    world.node.run()
    const heard = recorder.take()
    expect(heard.map(([name]) => name)).toEqual(['responded', 'serverRequest', 'serverRequest', 'serverRequest'])
    expect(ids(heard)).toEqual([1, 2, 3])
  })

  test('every frame says its id, the one before it, which attempt it is, and entry and time of its making', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world)
    const frames: unknown[] = []
    recorder.serverRequest = (_channel, frame) => void frames.push(frame)
    connection.receiveRequest(command(1, 'emit', 2))
    world.node.run()
    const made = { attempt: 1, createdIndex: world.node.machine.appliedIndex, createdAt: world.node.now }
    expect(frames).toMatchObject([
      { serverRequestId: 1, previousId: 0, ...made },
      { serverRequestId: 2, previousId: 1, ...made },
    ])
  })

  test('P-25 P-32 everything above the last ack is sent again on attach, in order', () => {
    const world = worldOf()
    const first = attachedClient(world)
    first.connection.receiveRequest(command(1, 'emit', 5))
    world.node.run()
    first.connection.receiveAck(1, 2)
    world.node.run()
    first.connection.end()
    const second = attachAgain(world, connect(world), first.session, first.epoch, 2)
    expect(ids(second.rest)).toEqual([3, 4, 5])
  })

  test('P-17 an ack is one entry, releases credit, and one at or below the known one is no entry', () => {
    const world = worldOf({ gateway: { credit: 2 } })
    const { connection, recorder } = attachedClient(world)
    connection.receiveRequest(command(1, 'emit', 5))
    world.node.run()
    expect(ids(recorder.take())).toEqual([1, 2])
    connection.receiveAck(1, 1)
    expect(ids(recorder.take())).toEqual([3])
    connection.receiveAck(1, 2)
    connection.receiveAck(1, 3)
    world.node.run()
    const heard = recorder.take()
    expect(ids(heard)).toEqual([4, 5])
    expect(heard.filter(([name]) => name === 'acknowledged').map(([, , upTo]) => upTo)).toEqual([1, 3])
    expect(world.node.submitted.filter((kind) => kind === 'ServerRequestAck').length).toBe(2)
    connection.receiveAck(1, 2)
    expect(recorder.take()).toEqual([['acknowledged', 1, 3]])
    world.node.run()
    expect(world.node.submitted.filter((kind) => kind === 'ServerRequestAck').length).toBe(2)
  })

  test('an ack of what was never sent is INVALID_ACK and changes nothing', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world)
    connection.receiveAck(1, 1)
    connection.receiveAck(1, 0)
    connection.receiveAck(7, 1)
    expect(recorder.take().map(([, channel, , bad]) => [channel, (bad as { code: string }).code])).toEqual([
      [1, 'INVALID_ACK'],
      [1, 'INVALID_ACK'],
      [7, 'NOT_ATTACHED'],
    ])
  })

  test('a riding ack frees credit, on a duplicate too', () => {
    const world = worldOf({ gateway: { credit: 2 } })
    const { connection, recorder } = attachedClient(world)
    connection.receiveRequest(command(1, 'emit', 6))
    world.node.run()
    connection.receiveRequest(command(2, 'emit', 1, { lowestPendingRequestId: 1, ackServerRequests: 2 }))
    world.node.run()
    expect(ids(recorder.take())).toEqual([1, 2, 3, 4])
    connection.receiveRequest(command(2, 'emit', 1, { lowestPendingRequestId: 1, ackServerRequests: 4 }))
    world.node.run()
    const heard = recorder.take()
    expect(heard.find(([name]) => name === 'responded')).toMatchObject(['responded', 1, 2, { replayed: true }])
    connection.receiveRequest(command(3, 'emit', 1))
    world.node.run()
    expect([...ids(heard), ...ids(recorder.take())]).toEqual([5, 6])
  })

  test.each([
    ['answered', command(2, 'echo', 1, { lowestPendingRequestId: 1, ackServerRequests: 2 }), 'outcome'],
    ['refused', command(1, 'echo', 'other', { ackServerRequests: 2 }), 'refused'],
  ])('what a riding ack makes room for goes out when its command is %s, behind the answer', (_name, request, kind) => {
    const world = worldOf({ gateway: { credit: 2 } })
    const { connection, recorder } = attachedClient(world)
    connection.receiveRequest(command(1, 'emit', 6))
    world.node.run()
    expect(ids(recorder.take())).toEqual([1, 2])
    connection.receiveRequest(request)
    world.node.run()
    const heard = recorder.take()
    expect(heard[0]).toMatchObject(['responded', 1, request.requestId, { kind }])
    expect(ids(heard)).toEqual([3, 4])
  })

  test('an ack of a call of its own makes room at the connection that holds the session', () => {
    const world = worldOf({ gateway: { credit: 2 } })
    const { connection, recorder, session, epoch } = attachedClient(world)
    connection.receiveRequest(command(1, 'emit', 6))
    world.node.run()
    recorder.take()
    const other = connect(world)
    expect(other.connection.bind(1, session, { epoch, secret: SECRET })).toBe(null)
    other.connection.receiveAck(1, 1)
    world.node.run()
    expect(ids(recorder.take())).toEqual([3])
    other.connection.receiveRequest(command(2, 'echo', 1, { lowestPendingRequestId: 1, ackServerRequests: 2 }))
    world.node.run()
    expect(ids(recorder.take())).toEqual([4])
    expect(ids(other.recorder.take())).toEqual([])
  })

  test('FR-025 P-13 a retry entry sends again what it counts another attempt of, and nothing twice', () => {
    const world = worldOf()
    const { connection, recorder, session } = attachedClient(world)
    connection.receiveRequest(command(1, 'emit', 2))
    world.node.run()
    const first = recorder.take().filter(([name]) => name === 'serverRequest')
    world.node.now += 60_000
    world.node.append('RetryServerRequests', encodePayload('RetryServerRequests', { sessions: [session] }))
    world.node.run()
    const again = recorder.take()
    expect(ids(again)).toEqual([1, 2])
    expect(again.every(([, , , attempt], at) => Number(attempt) === Number(first[at]?.[3]) + 1)).toBe(true)
    world.node.append('Noop')
    world.node.run()
    expect(recorder.take()).toEqual([])
  })

  test('what the client has acknowledged is not sent again, also while its ack is on its way to the log; the rest is', () => {
    const world = worldOf()
    const { connection, recorder, session } = attachedClient(world)
    connection.receiveRequest(command(1, 'emit', 5))
    world.node.run()
    recorder.take()
    connection.receiveAck(1, 2)
    const ack = world.node.queue.splice(0)
    world.node.now += 60_000
    world.node.append('RetryServerRequests', encodePayload('RetryServerRequests', { sessions: [session] }))
    world.node.run()
    expect(ids(recorder.take())).toEqual([3, 4, 5])
    world.node.queue.push(...ack)
    world.node.run()
    expect(ids(recorder.take())).toEqual([])
  })

  test('an entry of no client’s that adds a request sends that one alone: no attempt is sent twice', () => {
    const world = worldOf()
    const { connection, recorder, session } = attachedClient(world)
    connection.receiveRequest(command(1, 'emit', 2))
    world.node.run()
    recorder.take()
    const other = connect(world)
    other.connection.receiveOpen(openRequest(world, { secret: Buffer.alloc(32, 8), timeoutMs: 10_000 }))
    world.node.run()
    const [, , leaving] = other.recorder.take()[0] ?? []
    const { index } = leaving as SessionNumbers
    const target = world.node.machine.sessionFacts(session.index)?.info.id
    world.node.user.onSessionExpired = (context?: MachineContext) => {
      if (target !== undefined) context?.emit(target, 'note', { left: index })
    }
    world.node.now += 60_000
    world.node.append('RetryServerRequests', encodePayload('RetryServerRequests', { sessions: [session] }))
    world.node.run()
    expect(ids(recorder.take())).toEqual([1, 2])
    const renewedAtIndex = world.node.machine.sessionFacts(index)?.renewedAtIndex ?? 0
    const sessions = [{ ...(leaving as SessionNumbers), renewedAtIndex }]
    world.node.append('ExpireSessions', encodePayload('ExpireSessions', { sessions }))
    world.node.run()
    expect(ids(recorder.take())).toEqual([3])
  })

  test('P-18 P-33 a node that leads again serves who stayed, from the last ack', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world)
    connection.receiveRequest(command(1, 'emit', 3))
    world.node.run()
    connection.receiveAck(1, 1)
    world.node.run()
    world.node.loseLead(nodeId('n2'))
    recorder.take()
    world.node.becomeLeader()
    expect(ids(recorder.take())).toEqual([2, 3])
  })

  test('a session that was attached elsewhere meanwhile is superseded when this node leads again', () => {
    const world = worldOf()
    const { recorder, session, epoch } = attachedClient(world)
    const secretHash = Uint8Array.from(world.node.machine.sessionFacts(session.index)?.secretHash ?? [])
    world.node.loseLead(nodeId('n2'))
    world.node.append(
      'AttachSession',
      encodePayload('AttachSession', { ...session, secretHash, replaces: epoch, nonce: new Uint8Array(16) }),
    )
    world.node.run()
    expect(recorder.take()).toEqual([['leaderChanged', 'n2', 'address-of-n2']])
    world.node.becomeLeader()
    expect(recorder.take()).toEqual([
      ['superseded', 1],
      ['leaderChanged', 'n1', 'address-of-n1'],
    ])
  })

  test('a leader that hands over names itself once more on every connection', () => {
    const world = worldOf()
    const { recorder } = attachedClient(world)
    world.gateway.handingOver()
    expect(recorder.take()).toEqual([['leaderChanged', 'n1', 'address-of-n1']])
  })

  test('a node that does not lead delivers nothing', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world)
    connection.receiveRequest(command(1, 'emit', 1))
    const queued = world.node.queue.splice(0)
    world.node.loseLead(nodeId('n2'))
    recorder.take()
    world.node.queue.push(...queued.map(({ kind, payload }) => ({ kind, payload, sink: null, index: 0 })))
    world.node.run()
    expect(recorder.take()).toEqual([])
  })
})

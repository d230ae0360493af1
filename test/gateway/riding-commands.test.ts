import { describe, expect, test } from 'vitest'
import type { SessionNumbers } from '../../src/codec/entry/payload.ts'
import { encodePayload } from '../../src/codec/entry/payload-codec.ts'
import type { CommandParser } from '../../src/gateway/gateway-options.ts'
import { RIDING_HELD_BYTES_MAX } from '../../src/gateway/riding-commands.ts'
import { attachAgain, attachedClient, command, connect, openRequest, worldOf } from './recorder.ts'
import { attachOf, detached, kinds, ride, said } from './riding.ts'

describe('commands behind an attach that is granted', () => {
  test('are proposed as soon as it has an index, in order, and answered behind its answer', () => {
    const { world, session, epoch, client } = detached()
    ride(client, attachOf(session, epoch), [command(1), command(2), command(3)])
    expect(kinds(world)).toEqual(['AttachSession'])
    world.node.appendAll()
    client.connection.receiveRequest(command(4))
    expect(kinds(world)).toEqual(['AttachSession', ...Array(4).fill('ClientRequest')])
    expect(said(client)).toEqual([])
    world.node.run()
    expect(said(client)).toEqual(['attached', [1, 'outcome'], [2, 'outcome'], [3, 'outcome'], [4, 'outcome']])
    expect(world.node.user.inputs).toEqual([1, 2, 3, 4])
    const entries = world.node.submitted.length
    client.connection.receiveRequest(command(4))
    expect(said(client)).toEqual([[4, 'replayed']])
    expect(world.node.submitted.length).toBe(entries)
  })

  test('of an ordered session cost one entry each, and go before what comes later', () => {
    const { world, session, epoch, client } = detached({}, { ordered: true })
    const lowest = { lowestPendingRequestId: 1 }
    ride(client, attachOf(session, epoch), [command(1, 'echo', 1, lowest), command(2, 'echo', 2, lowest)])
    world.node.appendAll()
    client.connection.receiveRequest(command(3, 'echo', 3, lowest))
    world.node.run()
    client.connection.receiveRequest(command(4, 'echo', 4, lowest))
    world.node.run()
    expect(said(client)).toEqual(['attached', [1, 'outcome'], [2, 'outcome'], [3, 'outcome'], [4, 'outcome']])
    expect(world.node.submitted.filter((kind) => kind === 'ClientRequest').length).toBe(4)
  })

  test('are in flight as far as what comes behind the answer is concerned', () => {
    const { world, session, epoch, client } = detached({}, { ordered: true })
    ride(client, attachOf(session, epoch), [command(1)])
    world.node.appendAll()
    const behind = world.node.queue.splice(1)
    world.node.run()
    expect(said(client)).toEqual(['attached'])
    client.connection.receiveRequest(command(2, 'echo', 2, { lowestPendingRequestId: 1 }))
    world.node.queue.unshift(...behind)
    world.node.run()
    expect(said(client)).toEqual([
      [1, 'outcome'],
      [2, 'outcome'],
    ])
  })

  test('emit server requests, which go out behind their answers, and carry acks', () => {
    const { world, session, epoch, client } = detached()
    ride(client, attachOf(session, epoch), [command(1, 'emit', 2)])
    world.node.run()
    expect(said(client)).toEqual(['attached', [1, 'outcome'], 'serverRequest', 'serverRequest'])
    client.connection.end()
    const next = connect(world)
    const replaces = world.node.machine.sessionFacts(session.index)?.epoch ?? 0
    ride(next, attachOf(session, replaces, { nonce: Buffer.alloc(16, 3) }), [
      command(2, 'echo', 2, { ackServerRequests: 1 }),
    ])
    world.node.run()
    expect(said(next)).toEqual(['attached', [2, 'outcome'], 'serverRequest'])
    expect(world.node.machine.sessionFacts(session.index)?.acknowledged).toBe(1)
  })

  test('are told what is wrong with one only behind its answer, and those behind that one follow', () => {
    const { world, session, epoch, client } = detached()
    ride(client, attachOf(session, epoch), [command(1), command(2, 'echo', 13), command(3)])
    world.node.appendAll()
    expect(kinds(world)).toEqual(['AttachSession', 'ClientRequest'])
    expect(said(client)).toEqual([])
    world.node.run()
    expect(said(client)).toEqual(['attached', [2, 'VALIDATION_ERROR'], [1, 'outcome'], [3, 'outcome']])
  })

  test('are joined by a second copy of the same', () => {
    const { world, session, epoch, client } = detached()
    ride(client, attachOf(session, epoch), [command(1), command(1)])
    world.node.run()
    expect(said(client)).toEqual(['attached', [1, 'outcome']])
    expect(world.node.user.calls.length).toBe(1)
  })

  test('are answered from the log where they were executed before', () => {
    const { world, session, epoch, client } = detached()
    const before = attachAgain(world, connect(world), session, epoch, 7)
    before.connection.receiveRequest(command(1))
    world.node.run()
    ride(client, attachOf(session, before.epoch), [command(1), command(2)])
    world.node.run()
    expect(said(client)).toEqual(['attached', [1, 'replayed'], [2, 'outcome']])
    expect(said(before)).toEqual([[1, 'outcome'], 'superseded'])
    expect(world.node.user.inputs).toEqual([1, 2])
  })

  test('are parsed again where the version changed under way', () => {
    const parse: CommandParser = (_machine, _command, bytes, active) => ({
      ok: true,
      input: Uint8Array.from(bytes),
      version: active ?? 9,
    })
    const { world, session, epoch, client } = detached({ gateway: { parse } })
    world.node.append(
      'AdvanceVersion',
      encodePayload('AdvanceVersion', { machines: [{ machine: 't', to: 2, schema: '' }] }),
    )
    const lowest = { lowestPendingRequestId: 1 }
    ride(client, attachOf(session, epoch), [command(1, 'echo', 1, lowest), command(2, 'echo', 2, lowest)])
    world.node.run()
    expect(said(client)).toEqual(['attached', [1, 'outcome'], [2, 'outcome']])
    expect(world.node.user.inputs).toEqual([1, 2])
  })

  test('that the node does not take at first are proposed behind its answer', () => {
    const { world, session, epoch, client } = detached()
    ride(client, attachOf(session, epoch), [command(1), command(2)])
    world.node.appendAll()
    const [overloaded] = world.node.queue.splice(2)
    overloaded?.sink?.refused('OVERLOADED', null)
    expect(said(client)).toEqual([])
    world.node.run()
    expect(said(client)).toEqual(['attached', [1, 'outcome'], [2, 'outcome']])
  })

  test('on a channel that is attached belong to the new attach, and not to the old one', () => {
    const world = worldOf()
    const client = attachedClient(world)
    ride(client, attachOf(client.session, client.epoch), [command(1)])
    world.node.run()
    expect(said(client)).toEqual(['attached', [1, 'outcome']])
  })

  test('are fenced where another attach came between', () => {
    const { world, session, epoch, client } = detached()
    client.connection.receiveAttach(attachOf(session, epoch))
    world.node.appendAll()
    const index = world.node.queue[0]?.index ?? 0
    const other = connect(world)
    other.connection.receiveAttach(attachOf(session, index, { nonce: Buffer.alloc(16, 9) }))
    world.node.appendAll()
    client.connection.receiveRequest(command(1))
    world.node.run()
    expect(said(client)).toEqual(['attached', 'superseded', [1, 'FENCED']])
    expect(world.node.user.calls).toEqual([])
  })

  test('go on when their client is gone, and answer nobody', () => {
    const { world, session, epoch, client } = detached()
    ride(client, attachOf(session, epoch), [command(1)])
    world.node.appendAll()
    client.connection.end()
    world.node.run()
    expect(world.node.user.inputs).toEqual([1])
    expect(world.gateway.attachedCount).toBe(0)
    expect(said(client)).toEqual([])
  })

  test('are as many as fit a bound of bytes, which is free again with the answer; of the rest none is proposed', () => {
    const { world, session, epoch, client } = detached({ limits: { commandBytesMax: 12_000_000 } })
    const large = 'x'.repeat(RIDING_HELD_BYTES_MAX * 0.6)
    for (const round of [0, 1]) {
      const replaces = world.node.machine.sessionFacts(session.index)?.epoch ?? 0
      const [first, second, third] = [1, 2, 3].map((id) => round * 3 + id)
      ride(client, attachOf(session, replaces, { nonce: Buffer.alloc(16, 20 + round) }), [
        command(first ?? 0, 'emit', large),
        command(second ?? 0, 'emit', large),
        command(third ?? 0),
      ])
      expect(said(client)).toEqual([
        [second, 'OVERLOADED'],
        [third, 'OVERLOADED'],
      ])
      world.node.run()
      expect(said(client)).toEqual(['attached', [first, 'outcome']])
    }
    expect(epoch).toBeGreaterThan(0)
  })
})

describe('commands behind an attach that an earlier copy has decided', () => {
  test('carry the epoch that this one gave, not the index of the copy', () => {
    const { world, session, epoch, client } = detached()
    const first = connect(world)
    first.connection.receiveAttach(attachOf(session, epoch))
    first.connection.end()
    world.node.run()
    const granted = world.node.machine.sessionFacts(session.index)?.epoch ?? 0
    ride(client, attachOf(session, epoch), [command(1), command(2)])
    world.node.appendAll()
    expect(kinds(world)).toEqual(['AttachSession', 'ClientRequest', 'ClientRequest'])
    world.node.run()
    const [attached, ...answers] = client.recorder.take()
    expect(attached).toMatchObject(['attached', 1, { epoch: granted }])
    expect(answers).toMatchObject([
      ['responded', 1, 1, { kind: 'outcome' }],
      ['responded', 1, 2, { kind: 'outcome' }],
    ])
    expect(world.node.user.inputs).toEqual([1, 2])
  })

  test('join what the attachment of that epoch has in flight', () => {
    const { world, session, epoch, client } = detached()
    const first = connect(world)
    first.connection.receiveAttach(attachOf(session, epoch))
    world.node.run()
    expect(said(first)).toEqual(['attached'])
    first.connection.receiveRequest(command(1))
    const inFlight = world.node.queue.splice(0)
    ride(client, attachOf(session, epoch), [command(1)])
    world.node.appendAll()
    const [attach, rider] = world.node.queue.splice(0)
    expect([attach?.kind, rider?.kind]).toEqual(['AttachSession', 'ClientRequest'])
    for (const queued of [attach, ...inFlight, rider]) if (queued !== undefined) world.node.queue.push(queued)
    world.node.run()
    expect(said(client)).toEqual(['attached', [1, 'outcome']])
    expect(world.node.user.calls.length).toBe(1)
  })

  test('that were executed behind the earlier copy are answered from the cache', () => {
    const { world, session, epoch, client } = detached()
    const first = connect(world)
    ride(first, attachOf(session, epoch), [command(1)])
    world.node.appendAll()
    first.connection.end()
    world.node.run()
    ride(client, attachOf(session, epoch), [command(1), command(2)])
    world.node.run()
    expect(said(client)).toEqual(['attached', [1, 'replayed'], [2, 'outcome']])
    expect(world.node.user.inputs).toEqual([1, 2])
  })
})

describe('what else comes behind an attach', () => {
  test('finds no attachment yet, as ever', () => {
    const { world, session, epoch, client } = detached()
    client.connection.receiveAttach(attachOf(session, epoch))
    client.connection.receivePing(1)
    client.connection.receiveAck(1, 1)
    client.connection.receiveClose(1)
    expect(said(client)).toEqual(Array(3).fill(['refused', 'NOT_ATTACHED']))
    world.node.run()
    expect(said(client)).toEqual(['attached'])
  })

  test('for another session on another channel is its own', () => {
    const { world, session, epoch, client } = detached()
    client.connection.receiveOpen(openRequest(world, { channel: 2, secret: Buffer.alloc(32, 9) }))
    world.node.run()
    const [, , other] = client.recorder.take()[0] ?? []
    ride(client, attachOf(session, epoch), [command(1)])
    const second = { channel: 2, secret: Buffer.alloc(32, 9) }
    ride(client, attachOf(other as SessionNumbers, 0, second), [command(1, 'echo', 'other', { channel: 2 })])
    world.node.run()
    expect(client.recorder.take()).toMatchObject([
      ['attached', 1, {}],
      ['attached', 2, {}],
      ['responded', 1, 1, { kind: 'outcome', outcome: { value: 1 } }],
      ['responded', 2, 1, { kind: 'outcome', outcome: { value: 'other' } }],
    ])
  })
})

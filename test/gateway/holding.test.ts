import { describe, expect, test } from 'vitest'
import { nodeId } from '../../src/base/brand.ts'
import type { SessionNumbers } from '../../src/codec/entry/payload.ts'
import { encodePayload } from '../../src/codec/entry/payload-codec.ts'
import { attachAgain, attachedClient, command, connect, openRequest, SECRET, type World, worldOf } from './recorder.ts'

const N2 = nodeId('n2')

function expire(world: World, session: SessionNumbers): void {
  const renewedAtIndex = world.node.machine.sessionFacts(session.index)?.renewedAtIndex ?? 0
  world.node.now += 60_000
  world.node.append('ExpireSessions', encodePayload('ExpireSessions', { sessions: [{ ...session, renewedAtIndex }] }))
  world.node.run()
}

describe('which connection holds a session', () => {
  test('a command of an older epoch answers no copy of the next one, and its refusal ends nobody else', () => {
    const world = worldOf()
    const first = attachedClient(world)
    first.connection.receiveRequest(command(1))
    const late = world.node.queue.splice(0)
    const second = attachAgain(world, connect(world), first.session, first.epoch, 2)
    second.connection.receiveRequest(command(1))
    expect(world.node.queue.map(({ kind }) => kind)).toEqual(['ClientRequest'])
    world.node.queue.unshift(...late)
    world.node.run()
    expect(second.recorder.take()).toMatchObject([['responded', 1, 1, { kind: 'outcome' }]])
    expect(world.gateway.attachedCount).toBe(1)
  })

  test('a connection that went while its attach was under way holds nothing', () => {
    const world = worldOf()
    const { connection, session, epoch } = attachedClient(world)
    connection.end()
    const next = connect(world)
    next.connection.receiveAttach({
      kind: 'attach',
      ...session,
      channel: 1,
      secret: SECRET,
      replaces: epoch,
      nonce: Buffer.alloc(16, 2),
    })
    next.connection.end()
    world.node.run()
    expect(world.gateway.attachedCount).toBe(0)
  })

  test('a channel that is attached to another session lets the first one go', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world)
    connection.receiveOpen(openRequest(world, { secret: Buffer.alloc(32, 8) }))
    world.node.run()
    const [, , other] = recorder.take()[0] ?? []
    connection.receiveAttach({
      kind: 'attach',
      ...(other as SessionNumbers),
      channel: 1,
      secret: Buffer.alloc(32, 8),
      replaces: 0,
      nonce: Buffer.alloc(16, 2),
    })
    world.node.run()
    expect(world.gateway.attachedCount).toBe(1)
    expect([...connection.attachments].map(({ sessionIndex }) => sessionIndex)).toEqual([
      (other as SessionNumbers).index,
    ])
  })

  test('a session whose close was lost with its leader is told when it ends', () => {
    const world = worldOf()
    const { connection, recorder, session } = attachedClient(world)
    connection.receiveClose(1)
    world.node.loseLead(N2)
    recorder.take()
    expire(world, session)
    expect(recorder.take()).toEqual([['ended', 1, 'expired']])
  })

  test('who leads is told when it changes, and not again', () => {
    const world = worldOf()
    const { recorder } = attachedClient(world)
    world.node.becomeLeader()
    expect(recorder.take()).toEqual([])
    world.node.loseLead(N2)
    world.node.loseLead(N2)
    expect(recorder.take()).toEqual([['leaderChanged', 'n2', 'address-of-n2']])
  })
})

import { describe, expect, test } from 'vitest'
import { nodeId } from '../../src/base/brand.ts'
import type { SessionNumbers } from '../../src/codec/entry/payload.ts'
import { encodePayload } from '../../src/codec/entry/payload-codec.ts'
import { attachAgain, command, connect, type World } from './recorder.ts'
import { attachOf, detached, kinds, ride, said } from './riding.ts'

function expire(world: World, session: SessionNumbers): void {
  const renewedAtIndex = world.node.machine.sessionFacts(session.index)?.renewedAtIndex ?? 0
  world.node.now += 60_000
  world.node.append('ExpireSessions', encodePayload('ExpireSessions', { sessions: [{ ...session, renewedAtIndex }] }))
}

describe('commands behind an attach that is refused', () => {
  test.each([
    ['the secret is wrong', { secret: Buffer.alloc(32, 8) }, 'SESSION_UNKNOWN'],
    ['there is no such session', { index: 99 }, 'SESSION_UNKNOWN'],
    ['another epoch is in force', { replaces: 1 }, 'ATTACH_CONFLICT'],
  ])('change nothing and are answered as without an attachment: %s', (_why, overrides, code) => {
    const { world, session, epoch, client } = detached()
    ride(client, attachOf(session, epoch, overrides), [command(1), command(2, 'echo', 13)])
    world.node.appendAll()
    expect(kinds(world)).toEqual(['AttachSession', 'ClientRequest'])
    expect(said(client)).toEqual([])
    const hash = (): unknown => [world.node.user.calls, world.node.machine.sessionFacts(session.index)]
    const before = hash()
    world.node.run()
    expect(said(client)).toEqual([
      [1, 'NOT_ATTACHED'],
      [2, 'NOT_ATTACHED'],
      ['refused', code],
    ])
    expect(hash()).toEqual(before)
  })

  test('change nothing where another nonce won, and carry no ack', () => {
    const { world, session, epoch, client } = detached()
    const winner = attachAgain(world, connect(world), session, epoch, 5)
    winner.connection.receiveRequest(command(1, 'emit', 1))
    ride(client, attachOf(session, epoch), [command(2, 'echo', 2, { ackServerRequests: 1 })])
    world.node.run()
    expect(said(client)).toEqual([
      [2, 'NOT_ATTACHED'],
      ['refused', 'ATTACH_CONFLICT'],
    ])
    expect(said(winner)).toEqual([[1, 'outcome'], 'serverRequest'])
    expect(world.node.user.calls).toEqual(['emit'])
    expect(world.node.machine.sessionFacts(session.index)?.acknowledged).toBe(0)
  })

  test('change nothing where the session expired before it', () => {
    const { world, session, epoch, client } = detached()
    expire(world, session)
    ride(client, attachOf(session, epoch), [command(1)])
    world.node.run()
    expect(said(client)).toEqual([
      [1, 'NOT_ATTACHED'],
      ['refused', 'SESSION_EXPIRED'],
    ])
    expect(world.node.user.calls).toEqual([])
  })

  test('are not appended where it was not', () => {
    const { world, session, epoch, client } = detached()
    ride(client, attachOf(session, epoch), [command(1)])
    world.node.queue.splice(0)[0]?.sink?.refused('NO_QUORUM', null)
    expect(said(client)).toEqual([
      [1, 'NOT_ATTACHED'],
      ['refused', 'NO_QUORUM'],
    ])
    expect(kinds(world)).toEqual([])
    client.connection.receiveRequest(command(2))
    expect(said(client)).toEqual([[2, 'NOT_ATTACHED']])
  })

  test('find no attachment where a follower, a halted node or another cluster refuses it at once', () => {
    const { world, session, epoch, client } = detached()
    ride(client, attachOf({ ...session, incarnation: 2 }, epoch), [command(1)])
    world.node.loseLead(nodeId('n2'))
    said(client)
    ride(client, attachOf(session, epoch), [command(1)])
    world.node.becomeLeader()
    world.node.halted = { code: 'DIVERGED', message: '', index: 1 }
    ride(client, attachOf(session, epoch), [command(1)])
    expect(said(client)).toEqual([
      ['refused', 'NOT_LEADER'],
      [1, 'NOT_ATTACHED'],
      'leaderChanged',
      ['refused', 'HALTED'],
      [1, 'NOT_ATTACHED'],
    ])
    expect(kinds(world)).toEqual([])
  })
})

describe('commands behind an attach whose leader is lost', () => {
  test.each([
    ['nothing', 0, []],
    ['the attach alone', 1, []],
    ['the attach and the first command', 2, [1]],
    ['all', 3, [1, 2]],
  ])('are unknown once they were appended, whatever is kept: %s', (_what, kept, executed) => {
    const { world, session, epoch, client } = detached()
    ride(client, attachOf(session, epoch), [command(1), command(2), command(3, 'echo', 13)])
    world.node.appendAll()
    world.node.loseLead(nodeId('n2'), kept)
    expect(said(client).slice(0, 4)).toEqual([
      [1, 'LEADER_LOST'],
      [2, 'LEADER_LOST'],
      [3, 'NOT_ATTACHED'],
      ['refused', 'NOT_LEADER'],
    ])
    world.node.run()
    expect(world.node.user.inputs).toEqual(executed)
    expect(said(client)).toEqual([])
  })

  test('were not appended where the attach was not', () => {
    const { world, session, epoch, client } = detached()
    ride(client, attachOf(session, epoch), [command(1)])
    world.node.loseLead(nodeId('n2'))
    expect(said(client).slice(0, 2)).toEqual([
      [1, 'NOT_ATTACHED'],
      ['refused', 'NOT_LEADER'],
    ])
  })

  test('are unknown behind its answer where the attach was committed before, and they were not', () => {
    const { world, session, epoch, client } = detached()
    ride(client, attachOf(session, epoch), [command(1)])
    world.node.appendAll()
    const [, rider] = world.node.queue
    world.node.queue.splice(1)
    world.node.role = 'follower'
    world.node.leading = false
    world.node.leader = nodeId('n2')
    rider?.sink?.lost()
    client.connection.receiveRequest(command(2))
    expect(said(client)).toEqual([])
    world.node.run()
    expect(said(client)).toEqual(['attached', [1, 'LEADER_LOST'], [2, 'NOT_LEADER']])
  })
})

import { describe, expect, test } from 'vitest'
import { encodePayload } from '../../src/codec/entry/payload-codec.ts'
import { attachAgain, attachedClient, command, connect, type Heard, SECRET, worldOf } from './recorder.ts'

const attempts = (heard: readonly Heard[]): unknown[] =>
  heard.filter(([name]) => name === 'serverRequest').map(([, , id, attempt]) => [id, attempt])

describe('what a lone call hears of a session that has ended', () => {
  const ended = () => {
    const world = worldOf()
    const { connection, session, epoch } = attachedClient(world)
    connection.receiveClose(1)
    world.node.run()
    const bind = (secret: Buffer) => connect(world).connection.bind(1, session, { epoch, secret })
    return { world, bind }
  }

  test('SESSION_EXPIRED, when and why, with the right secret', () => {
    expect(ended().bind(SECRET)).toMatchObject({ code: 'SESSION_EXPIRED', details: { reason: 'closed' } })
  })

  test('SESSION_UNKNOWN with another one: a stranger does not learn that it was there', () => {
    expect(ended().bind(Buffer.alloc(32, 1))).toMatchObject({ code: 'SESSION_UNKNOWN', details: null })
  })
})

describe('a leader that has applied nothing of its term', () => {
  test('calls no session unknown, which its rows may be too old to know', () => {
    const world = worldOf()
    const { session, epoch } = attachedClient(world)
    world.node.leading = false
    const proof = { epoch, secret: SECRET }
    const { connection } = connect(world)
    expect(connection.bind(1, { ...session, index: 99 }, proof)).toMatchObject({ code: 'NOT_LEADER' })
    world.node.leading = true
    expect(connection.bind(1, { ...session, index: 99 }, proof)).toMatchObject({ code: 'SESSION_UNKNOWN' })
  })

  test('calls no ack invalid, whose request its rows may be too old to know', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world)
    world.node.leading = false
    connection.receiveAck(1, 3)
    expect(recorder.take()).toMatchObject([['refused', 1, 'ack', { code: 'NOT_LEADER' }]])
    expect(world.node.submitted).not.toContain('ServerRequestAck')
  })
})

describe('the attempt of a server request', () => {
  test('is 1 the first time and more after another attach, for what may have been sent before it', () => {
    const world = worldOf()
    const first = attachedClient(world)
    first.connection.receiveRequest(command(1, 'emit', 2))
    world.node.run()
    expect(attempts(first.recorder.take())).toEqual([
      [1, 1],
      [2, 1],
    ])
    first.connection.end()
    const second = attachAgain(world, connect(world), first.session, first.epoch, 2)
    expect(attempts(second.rest)).toEqual([
      [1, 2],
      [2, 2],
    ])
    second.connection.receiveRequest(command(2, 'emit', 1))
    world.node.run()
    expect(attempts(second.recorder.take())).toEqual([[3, 1]])
    world.node.now += 60_000
    world.node.append('RetryServerRequests', encodePayload('RetryServerRequests', { sessions: [first.session] }))
    world.node.run()
    expect(attempts(second.recorder.take())).toEqual([
      [1, 3],
      [2, 3],
      [3, 2],
    ])
  })

  test('is more than 1 when a copy of the attach has taken over what another connection was sent', () => {
    const world = worldOf()
    const first = attachedClient(world)
    first.connection.receiveRequest(command(1, 'emit', 1))
    world.node.run()
    const copy = attachAgain(world, connect(world), first.session, 0, 1)
    expect(attempts(copy.rest)).toEqual([[1, 2]])
  })
})

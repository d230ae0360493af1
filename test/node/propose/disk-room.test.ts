import { expect, test } from 'vitest'
import { encodePayload } from '../../../src/codec/entry/payload-codec.ts'
import { Cluster } from '../cluster.ts'
import { numbersOf, openSession, resultOf, submit } from '../commands.ts'
import { Read } from '../reads/a-read.ts'
import { Told } from '../told.ts'

test('a leader whose disk is nearly full refuses commands, serves reads, keep-alives and acks, and goes on by itself', () => {
  const room = { short: false }
  const cluster = Cluster.started({ room })
  const { leader, clock } = cluster
  const session = openSession(leader)
  const before = submit(leader, session, 1)
  clock.settle()
  expect(resultOf(before)).toBe(1)

  room.short = true
  const refused = submit(leader, session, 2)
  const read = new Read(leader)
  const kept = new Told()
  leader.driver.keepAlive(numbersOf(session), kept)
  const acknowledged = new Told()
  const ack = encodePayload('ServerRequestAck', { ...numbersOf(session), epoch: 0, serverRequestId: 0 })
  leader.driver.submit('ServerRequestAck', ack, acknowledged)
  clock.advance(200)
  expect(refused.told).toBe('refused DISK_FULL')
  expect(read.servedAt).toBeGreaterThanOrEqual(before.index)
  expect([kept.told, acknowledged.told]).toEqual(['settled', 'settled'])
  // It was not appended: the same request is executed once, later.
  room.short = false
  const again = submit(leader, session, 2)
  clock.settle()
  expect(resultOf(again)).toBe(2)
})

test('a follower whose disk is nearly full goes on: it is the leader who takes commands', () => {
  const rooms = new Map(['n1', 'n2', 'n3'].map((id) => [id, { short: false }]))
  const cluster = new Cluster({}, ['n1', 'n2', 'n3'], (id) => ({ room: rooms.get(id) ?? { short: true } }))
  for (const node of cluster.nodes) node.start()
  const leader = cluster.elect()
  for (const { id } of cluster.followers) Object.assign(rooms.get(id) ?? {}, { short: true })
  const session = openSession(leader)
  const sent = submit(leader, session, 1)
  cluster.clock.advance(200)
  expect(resultOf(sent)).toBe(1)
  for (const node of cluster.nodes) expect(node.machine.appliedIndex).toBeGreaterThanOrEqual(sent.index)
})

import { OWN_MACHINE } from '../../../src/session/own-versions.ts'
import { describe, expect, test } from 'vitest'
import { groupId, logIndex, nodeId, term } from '../../../src/base/brand.ts'
import type { Build, PeerBody, PeerFrame } from '../../../src/node/ports/peer-transport.ts'
import { openSession, submit } from '../commands.ts'
import { Cluster, raftOf } from '../cluster.ts'
import type { TestNode } from '../test-node.ts'
import { appendEntries, configuration, follower, GOOD, members, records } from './follower.ts'

const [n1, n3] = [nodeId('n1'), nodeId('n3')]
/** What these nodes say that they are built of. */
const OWN: Build = {
  machines: [{ name: 'test', versions: [{ version: 1, schema: 's', code: 'c' }] }, OWN_MACHINE],
  runtime: 'v20.0.0',
  holdfast: '0.1.0',
  development: false,
}

describe('a frame', () => {
  const wrong: readonly [string, (frame: PeerFrame) => PeerFrame][] = [
    ['of another cluster', (frame) => ({ ...frame, clusterId: 'c2' })],
    ['of another group', (frame) => ({ ...frame, group: groupId(1) })],
    ['to another node', (frame) => ({ ...frame, recipient: nodeId('n9') })],
    ['to another instance of this node', (frame) => ({ ...frame, recipientInstance: 'replaced' })],
    ['to no instance', (frame) => ({ ...frame, recipientInstance: '' })],
    ['of another instance of a member', (frame) => ({ ...frame, senderInstance: 'replaced' })],
  ]

  test.each(wrong)('%s is dropped, as if it had never been sent', (_name, change) => {
    const cluster = Cluster.started()
    const { leader } = cluster
    const session = openSession(leader)
    // Everything that reaches the leader is wrong: it is as if nobody answered.
    cluster.network.script = (frame) => (frame.recipient === leader.id ? change(frame) : frame)
    const told = submit(leader, session, 1)
    cluster.clock.advance(290)
    expect(told.told).toBeNull()
    cluster.until(() => leader.driver.role !== 'leader', 'it steps down')
    expect(told.told).toBe('lost')
  })
})

test('entries wait while a peer’s queue is full, and go once it has room', () => {
  const cluster = Cluster.started()
  const { leader } = cluster
  const session = openSession(leader)
  cluster.clock.advance(100)
  cluster.network.queuedBytes = 24 * 1024 * 1024
  cluster.network.sent.length = 0
  const told = submit(leader, session, 1)
  cluster.clock.advance(100)
  const withRecords = cluster.network.sent.filter(({ body }) => body.kind === 'raft' && body.records.length > 0)
  expect(withRecords).toEqual([])
  expect(cluster.network.sent.length).toBeGreaterThan(0)
  expect(told.told).toBeNull()
  cluster.network.queuedBytes = 0
  cluster.until(() => told.told !== null, 'it is answered')
  expect(told.told).not.toBe('lost')
})

/** The address of n1 each time that the node's listeners are told of a change. */
function addressesTold(node: TestNode): (string | null)[] {
  const told: (string | null)[] = []
  node.driver.listen({
    applied: () => undefined,
    batchApplied: () => undefined,
    roleChanged: () => told.push(node.driver.addressOf(n1)),
    stopped: () => undefined,
  })
  return told
}

describe('where a member is reached', () => {
  test('is what it says of itself, and the Configuration only where nobody says more', () => {
    const { node, send } = follower()
    const told = addressesTold(node)
    const moved = configuration({ voters: members.map((member) => ({ ...member, address: 'old:1' })) })
    send(appendEntries(records([{ kind: 'Configuration', payload: moved }]), [[1, 1, 1]]))
    expect(node.driver.addressOf(n1)).toBe('n1:1')
    told.length = 0
    send({ kind: 'reachedAt', address: '10.0.0.1:4600' })
    send({ kind: 'reachedAt', address: '10.0.0.1:4600' })
    expect(told).toEqual(['10.0.0.1:4600'])
    send({ kind: 'reachedAt', address: 'n1:1' })
    expect(node.network.hinted).toEqual(['10.0.0.1:4600', '10.0.0.1:4600', 'n1:1'].map((address) => [n1, address]))
  })

  test('is no news of the role when the member does not lead', () => {
    const { node, send } = follower()
    send(appendEntries(GOOD, [[1, 2, 1]]))
    expect(node.driver.leader).toBe(n1)
    const told = addressesTold(node)
    send({ kind: 'reachedAt', address: '10.0.0.3:4600' }, { sender: n3, senderInstance: 'instance-n3' })
    expect(node.driver.addressOf(n3)).toBe('10.0.0.3:4600')
    expect(told).toEqual([])
  })

  test('is neither remembered nor told of somebody who is no member', () => {
    const { node, send } = follower()
    const told = addressesTold(node)
    for (const configured of [false, true]) {
      if (configured) send(appendEntries(GOOD, [[1, 2, 1]]))
      told.length = 0
      const stranger = nodeId(`stranger-${configured}`)
      node.network.hinted.length = 0
      send({ kind: 'reachedAt', address: '10.0.0.9:4600' }, { sender: stranger, senderInstance: 'any' })
      // Without a Configuration it may be a member all the same, who is greeted.
      expect(node.network.hinted).toEqual(configured ? [] : [[stranger, '10.0.0.9:4600']])
      expect(node.driver.addressOf(stranger)).toBeNull()
      expect(told).toEqual([])
    }
  })

  test('is not taken from a replaced disk, nor where nobody could be', () => {
    const { node, send } = follower()
    send(appendEntries(GOOD, [[1, 2, 1]]))
    send({ kind: 'reachedAt', address: '10.0.0.1:4600' }, { senderInstance: 'replaced' })
    for (const address of ['', 'host', '127.0.0.1:0']) send({ kind: 'reachedAt', address })
    expect(node.driver.addressOf(n1)).toBe('n1:1')
    expect(node.network.hinted).toEqual([])
  })

  test('is told to a peer on each new connection, and to all once this node listens', () => {
    const { node } = follower()
    const { sent } = node.network
    const from = sent.length
    node.driver.onConnected(n3)
    node.driver.advertise('10.0.0.2:4600')
    expect(sent.slice(from).map(({ recipient, body }) => [recipient, body])).toEqual([
      [n3, { kind: 'reachedAt', address: 'n2:1' }],
      [n3, { kind: 'build', reply: true, ...OWN }],
      [n1, { kind: 'reachedAt', address: '10.0.0.2:4600' }],
      [n3, { kind: 'reachedAt', address: '10.0.0.2:4600' }],
    ])
  })
})

describe('what a member is built of', () => {
  const build = (version: number): Build => ({
    machines: [{ name: 'stock', versions: [{ version, schema: 's', code: 'c' }] }],
    runtime: 'v20.0.0',
    holdfast: '0.1.0',
    development: false,
  })

  test('is what it said last, and of a stranger or a replaced disk nothing', () => {
    const { node, send } = follower()
    send(appendEntries(GOOD, [[1, 2, 1]]))
    send({ kind: 'build', reply: false, ...build(1) })
    send({ kind: 'build', reply: false, ...build(2) })
    send({ kind: 'build', reply: false, ...build(3) }, { senderInstance: 'replaced' })
    send({ kind: 'build', reply: false, ...build(4) }, { sender: nodeId('n9'), senderInstance: 'any' })
    expect([...node.driver.builds]).toEqual([
      [node.id, OWN],
      [n1, build(2)],
    ])
  })

  test('is not known any more once a link to it has opened, until that process says it', () => {
    const { node, send } = follower()
    const known = () => node.driver.status().peerBuilds
    send({ kind: 'build', reply: true, ...build(1) })
    expect(known()).toEqual([{ id: n1, ...build(1) }])
    node.driver.onConnected(n1)
    expect(known()).toEqual([])
    send({ kind: 'build', reply: false, ...build(2) })
    expect(known()).toEqual([{ id: n1, ...build(2) }])
  })

  test('is answered with what this node is built of, and an answer is not', () => {
    const { node, send } = follower()
    const from = node.network.sent.length
    send({ kind: 'build', reply: true, ...build(1) })
    send({ kind: 'build', reply: false, ...build(1) })
    const said = node.network.sent.slice(from).filter(({ body }) => body.kind === 'build')
    expect(said).toMatchObject([{ recipient: n1, body: { reply: false, ...OWN } }])
  })
})

describe('a leader that this log does not name yet', () => {
  const later = (): PeerBody => {
    const body = appendEntries(new Uint8Array(0), [])
    if (body.kind !== 'raft' || body.message.kind !== 'appendEntries') throw new Error('no entries')
    return { ...body, message: { ...body.message, term: term(2), prevLogIndex: logIndex(2), prevLogTerm: term(1) } }
  }

  test.each([
    ['of another disk of a member', { sender: n1, senderInstance: 'replaced' }],
    ['of a node that was added', { sender: nodeId('n9'), senderInstance: 'any' }],
  ])('%s is followed, and answered where it says that it is reached', (_name, leader) => {
    const { node, send } = follower()
    send(appendEntries(GOOD, [[1, 2, 1]]))
    send({ kind: 'reachedAt', address: '10.0.0.9:4600' }, { ...leader, recipientInstance: '' })
    expect(node.network.hinted).toEqual([])
    const from = node.network.sent.length
    send(later(), leader)
    expect(node.driver.leader).toBe(leader.sender)
    expect(node.network.hinted).toEqual([[leader.sender, '10.0.0.9:4600']])
    const answers = node.network.sent.slice(from).filter((frame) => raftOf(frame, 'appendEntriesResponse') !== null)
    expect(answers).toMatchObject([{ recipient: leader.sender, recipientInstance: leader.senderInstance }])
  })

  test('of a disk that took the place of one that a node without a Configuration has agreed on is followed all the same', () => {
    const { node, send } = follower()
    const hello: PeerBody = { kind: 'hello', hasConfiguration: false, reply: false }
    send(hello)
    send(hello, { sender: n3, senderInstance: 'instance-n3' })
    // It would campaign: the handshake has agreed on the disks of n1 and n3.
    expect(node.driver.status()).toMatchObject({ awaited: [] })
    send({ kind: 'reachedAt', address: '10.0.0.9:4600' }, { senderInstance: 'replaced', recipientInstance: '' })
    const from = node.network.sent.length
    send(later(), { senderInstance: 'replaced' })
    expect(node.driver.leader).toBe(n1)
    expect(node.network.hinted).toEqual([[n1, '10.0.0.9:4600']])
    const answers = node.network.sent.slice(from).filter((frame) => raftOf(frame, 'appendEntriesResponse') !== null)
    expect(answers).toMatchObject([{ recipient: n1, recipientInstance: 'replaced' }])
  })

  test('is followed only where it addresses this very disk, and not where its disk was removed', () => {
    const { node, send } = follower()
    const removed = configuration({ removed: [{ id: n1, instanceId: 'removed' }] })
    send(appendEntries(records([{ kind: 'Configuration', payload: removed }]), [[1, 1, 1]]))
    send(later(), { senderInstance: 'replaced', recipientInstance: '' })
    send(later(), { senderInstance: 'replaced', recipientInstance: 'another' })
    send(later(), { senderInstance: 'removed' })
    expect(node.driver.raftState.currentTerm).toBe(1)
  })
})

describe('records from a peer', () => {
  test('that are whole go to the log, and their Configuration counts at once', () => {
    const { node, send } = follower()
    send(appendEntries(GOOD, [[1, 2, 1]]))
    expect(node.driver.raftState.lastIndex).toBe(2)
    expect(node.driver.addressOf(n3)).toBe('n3:1')
    expect(node.driver.incarnation).toBe(1)
  })

  const flipped = Uint8Array.from(GOOD)
  flipped[60] = (flipped[60] ?? 0) ^ 1
  const bad: readonly [string, PeerBody][] = [
    ['with a wrong checksum', appendEntries(flipped, [[1, 2, 1]])],
    ['cut short', appendEntries(GOOD.subarray(0, GOOD.length - 1), [[1, 2, 1]])],
    ['fewer than the message names', appendEntries(GOOD, [[1, 3, 1]])],
    ['of another term than the message names', appendEntries(GOOD, [[1, 2, 2]])],
    ['that the message names elsewhere', appendEntries(GOOD, [[2, 2, 1]])],
    ['that the message does not name', appendEntries(GOOD, [])],
    ['missing', appendEntries(new Uint8Array(0), [[1, 2, 1]])],
    [
      'with a Configuration that does not decode',
      appendEntries(records([{ kind: 'Configuration', payload: new Uint8Array([0xc1]) }]), [[1, 1, 1]]),
    ],
    [
      'with a Configuration that is something else',
      appendEntries(records([{ kind: 'Configuration', payload: new Uint8Array([0x01]) }]), [[1, 1, 1]]),
    ],
    [
      'with a Configuration that names nobody',
      appendEntries(
        records([
          {
            kind: 'Configuration',
            payload: configuration({ voters: [] }),
          },
        ]),
        [[1, 1, 1]],
      ),
    ],
  ]

  test.each(bad)('%s are dropped with their message, and the node goes on', (_name, body) => {
    const { node, send } = follower()
    send(body)
    expect(node.driver.raftState.lastIndex).toBe(0)
    expect(node.stopped).toEqual([])
    send(appendEntries(GOOD, [[1, 2, 1]]))
    expect(node.driver.raftState.lastIndex).toBe(2)
  })
})

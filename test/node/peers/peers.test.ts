import { describe, expect, test } from 'vitest'
import { groupId, logIndex, type NodeId, nodeId, term } from '../../../src/base/brand.ts'
import { EntryEncoder } from '../../../src/codec/entry/entry-encoder.ts'
import { encodePayload } from '../../../src/codec/entry/payload-codec.ts'
import type { EntryKind } from '../../../src/codec/entry/entry.ts'
import type { PeerBody, PeerFrame } from '../../../src/node/ports/peer-transport.ts'
import type { TermRun } from '../../../src/base/term-run.ts'
import type { Message } from '../../../src/raft/types.ts'
import { openSession, submit } from '../commands.ts'
import { Cluster, raftOf } from '../cluster.ts'
import type { TestNode } from '../test-node.ts'

const [n1, n2, n3] = [nodeId('n1'), nodeId('n2'), nodeId('n3')]

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

/** A follower without a log, and frames as its leader would send them. */
function follower(): { node: TestNode; send: (body: PeerBody, overrides?: Partial<PeerFrame>) => void } {
  const cluster = new Cluster({}, ['n1', 'n2', 'n3'])
  const node = cluster.node('n2').start()
  const send = (body: PeerBody, overrides: Partial<PeerFrame> = {}): void => {
    node.driver.onFrame({
      clusterId: 'c1',
      group: groupId(0),
      sender: n1,
      recipient: n2,
      senderInstance: 'instance-n1',
      recipientInstance: 'instance-n2',
      body,
      ...overrides,
    })
    cluster.clock.settle()
  }
  return { node, send }
}

const members = [n1, n2, n3].map((id) => ({ id, address: `${id}:1`, instanceId: `instance-${id}` }))
const CONFIGURATION = encodePayload('Configuration', { clusterId: 'c1', incarnation: 1, voters: members, learners: [] })

function records(entries: readonly { kind: EntryKind; payload: Uint8Array; term?: number }[], first = 1): Uint8Array {
  const encoder = new EntryEncoder()
  let chain = 0
  entries.forEach((entry, at) => {
    chain = encoder.append({
      kind: entry.kind,
      group: groupId(0),
      index: logIndex(first + at),
      term: term(entry.term ?? 1),
      lease: 0,
      now: 5,
      previousChain: chain,
      payload: entry.payload,
    })
  })
  return encoder.finish()
}

function appendEntries(bytes: Uint8Array, runs: readonly [number, number, number][]): PeerBody {
  const message: Message = {
    kind: 'appendEntries',
    term: term(1),
    prevLogIndex: logIndex(0),
    prevLogTerm: term(0),
    runs: runs.map(([first, last, of]): TermRun => ({ first: logIndex(first), last: logIndex(last), term: term(of) })),
    leaderCommit: logIndex(0),
    configurations: [],
    sequence: 1,
  }
  return { kind: 'raft', message, records: bytes, wallMs: 5 }
}

const GOOD = records([
  { kind: 'Configuration', payload: CONFIGURATION },
  { kind: 'Noop', payload: new Uint8Array(0) },
])

describe('where a member is reached', () => {
  test('is what it says of itself, and the Configuration only where nobody says more', () => {
    const { node, send } = follower()
    const told: (string | null)[] = []
    node.driver.listen({
      applied: () => undefined,
      batchApplied: () => undefined,
      roleChanged: () => told.push(node.driver.addressOf(n1)),
      stopped: () => undefined,
    })
    const moved = encodePayload('Configuration', {
      clusterId: 'c1',
      incarnation: 1,
      voters: members.map((member) => ({ ...member, address: 'old:1' })),
      learners: [],
    })
    send(appendEntries(records([{ kind: 'Configuration', payload: moved }]), [[1, 1, 1]]))
    expect(node.driver.addressOf(n1)).toBe('n1:1')
    told.length = 0
    send({ kind: 'reachedAt', address: '10.0.0.1:4600' })
    send({ kind: 'reachedAt', address: '10.0.0.1:4600' })
    expect(told).toEqual(['10.0.0.1:4600'])
  })

  test('is not taken from a replaced disk, nor where nobody could be', () => {
    const { node, send } = follower()
    send(appendEntries(GOOD, [[1, 2, 1]]))
    send({ kind: 'reachedAt', address: '10.0.0.1:4600' }, { senderInstance: 'replaced' })
    for (const address of ['', 'host', '127.0.0.1:0']) send({ kind: 'reachedAt', address })
    expect(node.driver.addressOf(n1)).toBe('n1:1')
  })

  test('is told to a peer on each new connection, and to all once this node listens', () => {
    const { node } = follower()
    const { sent } = node.network
    const from = sent.length
    node.driver.onConnected(n3)
    node.driver.advertise('10.0.0.2:4600')
    expect(sent.slice(from).map(({ recipient, body }) => [recipient, body])).toEqual([
      [n3, { kind: 'reachedAt', address: 'n2:1' }],
      [n1, { kind: 'reachedAt', address: '10.0.0.2:4600' }],
      [n3, { kind: 'reachedAt', address: '10.0.0.2:4600' }],
    ])
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
            payload: encodePayload('Configuration', { clusterId: 'c1', incarnation: 1, voters: [], learners: [] }),
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

describe('bootstrap', () => {
  test('nobody campaigns before every initial voter was heard by somebody', () => {
    const cluster = new Cluster()
    cluster.node('n1').start()
    cluster.node('n2').start()
    cluster.clock.advance(10_000)
    expect(cluster.running.map((node) => node.driver.raftState.currentTerm)).toEqual([0, 0])
    cluster.node('n3').start()
    cluster.elect()
    expect(cluster.leader.driver.incarnation).toBe(1)
    const known = cluster.nodes.map((node) => node.driver.status().voters)
    expect(known).toEqual([
      [n1, n2, n3],
      [n1, n2, n3],
      [n1, n2, n3],
    ])
  })

  test('a node that restarts before its Configuration is durable greets again and joins', () => {
    const cluster = new Cluster()
    for (const node of cluster.nodes) node.start()
    cluster.until(
      () => cluster.nodes.some((node) => node.driver.role === 'candidate' || node.driver.role === 'leader'),
      'one campaigns',
    )
    const first = cluster.nodes.find((node) => node.driver.role === 'candidate' || node.driver.role === 'leader')
    first?.restart()
    cluster.elect()
    const session = openSession(cluster.leader)
    cluster.until(
      () => cluster.nodes.every((node) => node.machine.sessionFacts(session) !== null),
      'all have the session',
    )
  })

  test('all of them may restart in the middle of it', () => {
    for (let after = 0; after <= 1000; after += 50) {
      const cluster = new Cluster()
      for (const node of cluster.nodes) node.start()
      cluster.clock.advance(after)
      for (const node of cluster.nodes) node.restart()
      cluster.elect()
    }
  })

  test('one late hello is enough to stay out: a node that cannot hear one voter joins by the leader’s entries', () => {
    const cluster = new Cluster()
    // n2 asks, and n3 answers; what n2 then tells this very instance is lost.
    cluster.network.script = (frame) =>
      frame.recipient === n3 && frame.sender === n2 && frame.body.kind === 'hello' && frame.recipientInstance !== ''
        ? null
        : frame
    for (const node of cluster.nodes) node.start()
    cluster.elect()
    expect(cluster.node('n3').driver.raftState.lastIndex).toBeGreaterThan(0)
  })

  test('a replaced disk is neither answered nor followed under its old name', () => {
    const cluster = Cluster.started()
    const replaced = cluster.followers[0] as TestNode
    replaced.replaceDisk()
    replaced.start()
    cluster.network.sent.length = 0
    cluster.clock.advance(3000)
    expect(replaced.driver.raftState.lastIndex).toBe(0)
    expect(replaced.driver.raftState.currentTerm).toBe(0)
    const session = openSession(cluster.leader)
    const told = submit(cluster.leader, session, 1)
    cluster.clock.settle()
    expect(told.told).toBe('settled')
    const answered = cluster.network.sent.filter(
      (frame) => frame.sender !== replaced.id && frame.recipient === replaced.id && frame.body.kind === 'hello',
    )
    expect(answered).toEqual([])
  })

  test('two nodes that never had the Configuration write no second history beside the one that holds it', () => {
    // n1 and n2 hold the Configuration; n3 has agreed to it and received nothing more. Then n2's disk is replaced and
    // n1 is cut off.
    const cluster = new Cluster()
    cluster.network.script = (frame) => (frame.recipient === n3 && frame.body.kind === 'raft' ? null : frame)
    // n3's own campaigns come to nothing meanwhile: its frames do not leave either.
    const silent = (frame: PeerFrame): PeerFrame | null =>
      (frame.recipient === n3 || frame.sender === n3) && frame.body.kind === 'raft' ? null : frame
    cluster.network.script = silent
    for (const node of cluster.nodes) node.start()
    cluster.until(
      () => cluster.node('n1').machine.appliedIndex >= 2 && cluster.node('n2').machine.appliedIndex >= 2,
      'two of them have it',
    )
    expect(cluster.node('n3').driver.raftState.lastIndex).toBe(0)
    cluster.network.script = (frame) =>
      (frame.sender === n1 || frame.recipient === n1) && frame.body.kind === 'raft' ? null : frame
    cluster.node('n2').replaceDisk()
    cluster.node('n2').start()
    cluster.clock.advance(20_000)
    expect([cluster.node('n2').driver.raftState.lastIndex, cluster.node('n3').driver.raftState.lastIndex]).toEqual([
      0, 0,
    ])
    expect(
      cluster.network.sent.some(
        (frame) =>
          frame.sender === n2 &&
          raftOf(frame, 'requestVoteResponse')?.message.verdict.granted === true &&
          frame.senderInstance.endsWith('replaced'),
      ),
    ).toBe(false)
  })

  test('raft.md §1 a voter without log grants to a candidate that names its instance, although a third voter is down', () => {
    const cluster = new Cluster()
    cluster.network.script = withoutRaft(n3)
    for (const node of cluster.nodes) node.start()
    cluster.until(() => [n1, n2].every((id) => cluster.node(id).machine.appliedIndex >= 2), 'two of them serve')
    const { leader } = cluster
    leader.crash()
    cluster.network.script = (frame) => frame
    cluster.node('n3').restart()
    const next = cluster.elect()
    // Only who holds a log may be elected: n3 has none of its own to write a Configuration from.
    expect(next.id).toBe(leader.id === n1 ? n2 : n1)
    expect(cluster.node('n3').driver.raftState.lastIndex).toBeGreaterThan(2)
  })

  test('raft.md §1 a greeting to an earlier disk of this name proves nothing: a replaced voter does not vote on it', () => {
    const cluster = new Cluster()
    cluster.network.script = withoutRaft(n3)
    for (const node of cluster.nodes) node.start()
    cluster.until(() => [n1, n2].every((id) => cluster.node(id).machine.appliedIndex >= 2), 'two of them serve')
    const greetings = cluster.network.sent.filter((frame) => frame.recipient === n2 && frame.body.kind === 'hello')
    cluster.network.script = withoutRaft(n1)
    cluster.node('n2').replaceDisk()
    cluster.node('n2').start()
    for (const greeting of greetings) cluster.node('n2').driver.onFrame(greeting)
    cluster.clock.advance(20_000)
    expect(votesOfReplaced(cluster)).toEqual([])
    expect([n2, n3].map((id) => cluster.node(id).driver.raftState.lastIndex)).toEqual([0, 0])
  })

  test('raft.md §2.1 a disk replaced between its vote and the first Configuration does not vote again in that term', () => {
    const cluster = new Cluster()
    const delayed: PeerFrame[] = []
    // The first vote that anybody grants is long under way.
    cluster.network.script = (frame) => {
      if (raftOf(frame, 'requestVoteResponse') !== null) delayed.push(frame)
      return delayed.length > 0 && frame.body.kind === 'raft' ? null : frame
    }
    for (const node of cluster.nodes) node.start()
    cluster.until(() => delayed.length > 0, 'a vote is granted')
    const [vote] = delayed as [PeerFrame]
    const [voter, candidate] = [cluster.node(vote.sender), cluster.node(vote.recipient)]
    voter.replaceDisk()
    voter.start()
    // The others hear one another and the new disk, but nothing of the candidate.
    cluster.network.script = withoutRaft(candidate.id)
    cluster.clock.advance(10_000)
    expect(votesOfReplaced(cluster)).toEqual([])
  })
})

/** All frames but the Raft messages from and to a node. */
function withoutRaft(id: NodeId): (frame: PeerFrame) => PeerFrame | null {
  return (frame) => ((frame.recipient === id || frame.sender === id) && frame.body.kind === 'raft' ? null : frame)
}

/** What a replaced disk has said that could count as its vote: grants, and requests, which hold a vote for itself. */
function votesOfReplaced(cluster: Cluster): readonly PeerFrame[] {
  return cluster.network.sent.filter(
    (frame) =>
      frame.senderInstance.endsWith('replaced') &&
      (raftOf(frame, 'requestVote') !== null ||
        raftOf(frame, 'preVoteRequest') !== null ||
        (raftOf(frame, 'requestVoteResponse') ?? raftOf(frame, 'preVoteResponse'))?.message.verdict.granted === true),
  )
}

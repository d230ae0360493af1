import { describe, expect, test } from 'vitest'
import { nodeId, type NodeId } from '../../src/base/brand.ts'
import type { NodeEvent } from '../../src/node/api.ts'
import type { PeerFrame } from '../../src/node/ports/peer-transport.ts'
import { Cluster, raftOf } from './cluster.ts'
import { openSession, submit } from './commands.ts'
import type { TestNode } from './test-node.ts'

const [n1, n2, n3] = [nodeId('n1'), nodeId('n2'), nodeId('n3')]

const asksForVotes = ({ body }: PeerFrame): boolean =>
  body.kind === 'raft' && (body.message.kind === 'preVoteRequest' || body.message.kind === 'requestVote')

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

  test('a node that told a new disk of itself does not agree on the one that it replaced', () => {
    const cluster = new Cluster()
    const [first, second, third] = cluster.nodes as [TestNode, TestNode, TestNode]
    first.start()
    second.start()
    cluster.until(() => !first.driver.status().awaited.includes(n2), 'the first disk of n2 is known')
    second.replaceDisk()
    // What the new disk says once it knows n1 is lost: n1 told it its own instance, and then hears n3. Only n2 asks for votes.
    cluster.network.script = (frame) => {
      const lost = frame.sender === n2 && frame.recipient === n1 && frame.body.kind === 'hello'
      return (lost && frame.recipientInstance !== '') || (asksForVotes(frame) && frame.sender !== n2) ? null : frame
    }
    second.start()
    cluster.clock.advance(200)
    third.start()
    cluster.elect()
    expect(cluster.leader.id).toBe(n2)
    cluster.until(() => cluster.nodes.every((node) => node.driver.raftState.lastIndex > 0), 'all three take part')
  })

  test('a late word of a disk that was replaced counts for nothing', () => {
    const cluster = new Cluster()
    const [first, second, third] = cluster.nodes as [TestNode, TestNode, TestNode]
    const late: PeerFrame[] = []
    cluster.network.script = (frame) => {
      if (frame.sender === n2 && frame.body.kind === 'hello' && frame.recipientInstance !== '') late.push(frame)
      return frame
    }
    first.start()
    second.start()
    cluster.until(() => !first.driver.status().awaited.includes(n2), 'the first disk of n2 is known')
    second.replaceDisk()
    cluster.network.script = (frame) => (asksForVotes(frame) && frame.sender !== n2 ? null : frame)
    second.start()
    cluster.clock.advance(200)
    // n1 hears n3, and then only n2's first disk.
    cluster.network.script = (frame) => {
      const lost = frame.sender === n2 && frame.recipient === n1 && frame.body.kind === 'hello'
      return lost || (asksForVotes(frame) && frame.sender !== n2) ? null : frame
    }
    for (const frame of late) first.driver.onFrame(frame)
    third.start()
    cluster.elect()
    expect(cluster.leader.id).toBe(n2)
    cluster.until(() => cluster.nodes.every((node) => node.driver.raftState.lastIndex > 0), 'all three take part')
  })

  test('a first word of a replaced disk that comes after the new one’s is told of, and a restart cures it', () => {
    const cluster = new Cluster()
    const [first, second, third] = cluster.nodes as [TestNode, TestNode, TestNode]
    const late: PeerFrame[] = []
    cluster.network.script = (frame) => {
      if (frame.sender !== n2) return frame
      if (frame.body.kind === 'hello' && frame.recipient === n1) late.push(frame)
      return null
    }
    first.start()
    second.start()
    cluster.clock.advance(200)
    second.replaceDisk()
    // n1 hears the new disk, which does not hear it yet.
    cluster.network.script = (frame) => (frame.recipient === n2 && frame.body.kind === 'hello' ? null : frame)
    second.start()
    cluster.clock.advance(200)
    const events: NodeEvent[] = []
    first.driver.listen({
      applied: () => undefined,
      batchApplied: () => undefined,
      roleChanged: () => undefined,
      stopped: () => undefined,
      noted: (event) => void events.push(event),
    })
    for (const frame of late.slice(0, 1)) first.driver.onFrame(frame)
    cluster.network.script = (frame) => frame
    third.start()
    cluster.clock.advance(3000)
    expect(events.filter(({ kind }) => kind === 'diskIgnored')).toEqual([{ kind: 'diskIgnored', peer: n2 }])
    expect(first.driver.status().awaited).toEqual([n2])
    first.restart()
    cluster.until(() => cluster.nodes.every((node) => node.driver.raftState.lastIndex > 0), 'all three take part')
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

import { expect, test } from 'vitest'
import { Cluster } from '../cluster.ts'
import { openSession, resultOf, submit } from '../commands.ts'
import { TestClock } from '../test-clock.ts'
import { TestNode } from '../test-node.ts'

/** The drivers' defaults: the longest election timeout, and the heartbeat after which a write's age is believed. */
const ELECTION_MAX_MS = 600
const HEARTBEAT_MS = 50

test('a leader whose log write hangs makes way once it is older than an election timeout, and what it had sent is answered', () => {
  const cluster = Cluster.started()
  const { clock, leader } = cluster
  const session = openSession(leader)
  leader.holdDisk()
  const sent = submit(leader, session, 1)
  clock.advance(ELECTION_MAX_MS - 10)
  expect([leader.driver.raftState.stalled, leader.driver.leading]).toEqual([false, true])
  // Both of the others have it on disk: it is committed without this one's.
  expect(resultOf(sent)).toBe(1)
  clock.advance(20)
  const late = submit(leader, session, 2)
  clock.settle()
  expect(late.told).toBe('refused STORAGE_STALLED')
  clock.advance(3 * HEARTBEAT_MS)
  expect(leader.driver.raftState.stalled).toBe(true)
  const next = cluster.elect([leader])
  expect(next).not.toBe(leader)
  expect(leader.driver.leading).toBe(false)
  // One election, asked for: nobody's timer ran out.
  expect(next.driver.raftState.currentTerm).toBe(leader.driver.raftState.currentTerm)
  clock.advance(3 * ELECTION_MAX_MS)
  expect(next.driver.leading).toBe(true)

  leader.releaseDisk()
  clock.advance(3 * ELECTION_MAX_MS)
  expect(leader.driver.raftState.stalled).toBe(false)
  expect(cluster.leader).toBe(next)
  expect(leader.driver.leader).toBe(next.id)
  expect(resultOf(submitted(cluster, session, 3))).toBe(2)
})

test('a follower whose disk hangs does not campaign when the leader is gone, and does once it writes again', () => {
  const cluster = Cluster.started()
  const { clock, leader } = cluster
  const [hanging, other] = cluster.followers
  if (hanging === undefined || other === undefined) throw new Error('two follow')
  const session = openSession(leader)
  hanging.holdDisk()
  submit(leader, session, 1)
  clock.advance(ELECTION_MAX_MS + 3 * HEARTBEAT_MS)
  expect([leader.driver.leading, hanging.driver.raftState.stalled]).toEqual([true, true])
  const term = hanging.driver.raftState.currentTerm
  leader.crash()
  other.crash()
  for (let waited = 0; waited < 10 * ELECTION_MAX_MS; waited += 10) {
    clock.advance(10)
    expect(hanging.driver.raftState.role.kind).toBe('follower')
  }
  expect(hanging.driver.raftState.currentTerm).toBe(term)
  hanging.releaseDisk()
  other.start()
  expect(cluster.elect()).toBeDefined()
  expect(hanging.driver.raftState.stalled).toBe(false)
})

test('a process that was held up itself, with the completion of its write unread, takes its disk for no hanging one', () => {
  const clock = new TestClock()
  const node = new TestNode({ clock }).start()
  const session = openSession(node)
  node.holdDisk()
  const sent = submit(node, session, 1)
  clock.settle()
  // Stopped and resumed: the timer of the watchdog fires before anything of the disk is heard.
  clock.stall(4 * ELECTION_MAX_MS)
  clock.settle()
  expect(node.driver.raftState.stalled).toBe(false)
  node.releaseDisk()
  expect(node.driver.raftState.stalled).toBe(false)
  clock.advance(4 * ELECTION_MAX_MS)
  expect(node.driver.raftState.stalled).toBe(false)
  expect(resultOf(sent)).toBe(1)
})

test('a sole voter whose disk hangs refuses what is new, stays leader, and serves again as soon as it writes', () => {
  const clock = new TestClock()
  const node = new TestNode({ clock }).start()
  const session = openSession(node)
  node.holdDisk()
  const sent = submit(node, session, 1)
  clock.advance(ELECTION_MAX_MS + 3 * HEARTBEAT_MS)
  expect([node.driver.raftState.stalled, node.driver.leading]).toEqual([true, true])
  const late = submit(node, session, 2)
  clock.settle()
  expect([sent.told, late.told]).toEqual([null, 'refused STORAGE_STALLED'])
  node.releaseDisk()
  expect(resultOf(sent)).toBe(1)
  const again = submit(node, session, 2)
  clock.settle()
  expect([node.driver.raftState.stalled, resultOf(again)]).toEqual([false, 2])
})

/** A command that the present leader was given, and has answered. */
function submitted(cluster: Cluster, session: number, requestId: number): ReturnType<typeof submit> {
  const sink = submit(cluster.leader, session, requestId)
  cluster.until(() => sink.told !== null, 'a command is answered')
  return sink
}

import { describe, expect, test } from 'vitest'
import { numbersOf, openSession, submit, resultOf } from './commands.ts'
import { Cluster, raftOf } from './cluster.ts'
import { Told } from './told.ts'

describe('three drivers', () => {
  test('FR-011 P-23 apply the same entries: every replica holds the sessions, and the hashes are equal', () => {
    const cluster = Cluster.started()
    const { leader } = cluster
    const session = openSession(leader)
    const sinks = [1, 2, 3].map((id) => submit(leader, session, id))
    cluster.clock.settle()
    expect(sinks.map(resultOf)).toEqual([1, 2, 3])
    const hash = leader.machine.stateHash()
    cluster.until(() => cluster.nodes.every((node) => node.machine.stateHash() === hash), 'all hashes are equal')
    expect(cluster.nodes.map((node) => node.machine.sessionFacts(session)?.highest)).toEqual([3, 3, 3])
  })

  test('P-18 a session goes on with the next leader, and a command in flight is answered once from there', () => {
    const cluster = Cluster.started()
    const old = cluster.leader
    const session = openSession(old)
    const first = submit(old, session, 1)
    cluster.clock.settle()
    expect(resultOf(first)).toBe(1)
    old.crash()
    const next = cluster.elect()
    expect(next).not.toBe(old)
    const again = submit(next, session, 1)
    const second = submit(next, session, 2)
    cluster.clock.settle()
    expect([resultOf(again), resultOf(second)]).toEqual([1, 2])
    expect(again.reply).toMatchObject({ replayed: true })
    old.start()
    cluster.until(() => old.machine.stateHash() === next.machine.stateHash(), 'the old leader catches up')
  })

  test('a leader that is cut off refuses new commands after an election timeout, and tells who waits that it is lost', () => {
    const cluster = Cluster.started()
    const old = cluster.leader
    const session = openSession(old)
    cluster.network.isolate(old.id)
    const waiting = submit(old, session, 1)
    cluster.clock.advance(400)
    expect(waiting.told).toBeNull()
    const refused = submit(old, session, 2)
    cluster.clock.settle()
    expect(refused.told).toBe('refused NO_QUORUM')
    const next = cluster.elect([old])
    cluster.until(() => old.driver.role !== 'leader', 'it steps down')
    expect(waiting.told).toBe('lost')
    const retried = submit(next, session, 1)
    cluster.clock.settle()
    expect(resultOf(retried)).toBe(1)
    cluster.network.heal()
    cluster.until(() => old.machine.stateHash() === next.machine.stateHash(), 'the histories are one again')
    expect(waiting.told).toBe('lost')
  })

  test('a leader that steps down tells every session whose keep-alive waits', () => {
    const cluster = Cluster.started()
    const old = cluster.leader
    const session = openSession(old)
    cluster.network.isolate(old.id)
    const pings: Told[] = []
    const stepsDown = (): boolean => {
      if (old.driver.role !== 'leader') return true
      const ping = new Told()
      pings.push(ping)
      old.driver.keepAlive(numbersOf(session), ping)
      return false
    }
    cluster.until(stepsDown, 'it steps down')
    // The last of them waited for the next duty when there was nobody left to do it.
    expect(pings.length).toBeGreaterThan(0)
    expect(pings.filter(({ told }) => told === null)).toEqual([])
    expect(pings.at(-1)?.told).toBe('refused NOT_LEADER')
  })

  test('what is committed is settled although the leader steps down before it has applied it', () => {
    const cluster = Cluster.started()
    const { leader } = cluster
    const session = openSession(leader)
    const told = submit(leader, session, 1)
    // Cached reads apply at once: let the apply loop wait for its budget by making the read hang.
    let release: (() => void) | null = null
    const { log } = (leader.driver as unknown as { options: { log: { read: (...given: unknown[]) => void } } }).options
    const read = log.read.bind(log)
    let hold = true
    log.read = (...given: unknown[]) => {
      const range = given[0] as { maxBytes: number }
      if (hold && range.maxBytes === 1024 * 1024) release = () => read(...given)
      else read(...given)
    }
    cluster.until(() => release !== null, 'the command is committed')
    const { commitIndex } = leader.driver.raftState
    cluster.network.isolate(leader.id)
    cluster.until(() => leader.driver.role !== 'leader', 'it steps down')
    expect(told.told).toBeNull()
    hold = false
    const released = release as (() => void) | null
    released?.()
    expect(resultOf(told)).toBe(1)
    expect(told.index).toBe(commitIndex)
  })

  test('a slow follower holds nobody up, and catches up in parts no larger than a message', () => {
    const cluster = Cluster.started({ messageBytesMax: 2000, cacheBytes: 4096 })
    const { leader } = cluster
    const slow = cluster.followers[0]
    if (slow === undefined) throw new Error('no follower')
    const session = openSession(leader)
    cluster.network.isolate(slow.id)
    for (let id = 1; id <= 200; id += 1) {
      const told = submit(leader, session, id)
      cluster.clock.advance(1)
      expect(told.told).toBe('settled')
    }
    cluster.network.sent.length = 0
    cluster.network.heal()
    cluster.until(() => slow.machine.stateHash() === leader.machine.stateHash(), 'the slow one catches up')
    const carried = cluster.network.sent
      .filter((frame) => frame.recipient === slow.id)
      .flatMap((frame) => raftOf(frame, 'appendEntries') ?? [])
    const sizes = carried.map((body) => body.records.length)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2000)
    expect(sizes.filter((size) => size > 0).length).toBeGreaterThan(5)
    expect(leader.driver.role).toBe('leader')
  })

  test('replies wait for the writes that they speak of: nothing is acknowledged while the disks hang', () => {
    const cluster = Cluster.started()
    const { leader } = cluster
    const session = openSession(leader)
    cluster.clock.advance(100)
    for (const node of cluster.followers) node.holdDisk()
    cluster.network.sent.length = 0
    const told = submit(leader, session, 1)
    cluster.clock.advance(100)
    const { lastIndex } = leader.driver.raftState
    const acknowledged = cluster.network.sent.flatMap((frame) => raftOf(frame, 'appendEntriesResponse') ?? [])
    const highest = Math.max(
      0,
      ...acknowledged.map(({ message }) => (message.result.success ? message.result.matchIndex : 0)),
    )
    expect(highest).toBeLessThan(lastIndex)
    expect(told.told).toBeNull()
    cluster.followers[0]?.releaseDisk()
    expect(told.told).toBe('settled')
  })

  test('the leader’s disk works in parallel with its followers’: a majority without the leader commits', () => {
    const cluster = Cluster.started()
    const { leader } = cluster
    const session = openSession(leader)
    leader.holdDisk()
    const told = submit(leader, session, 1)
    cluster.clock.settle()
    expect(resultOf(told)).toBe(1)
    leader.releaseDisk()
  })

  test('inbound messages are read before an election timer fires: a follower that was stopped does not campaign', () => {
    const cluster = Cluster.started()
    const { leader } = cluster
    const { currentTerm } = leader.driver.raftState
    cluster.network.sent.length = 0
    // Everybody's process is stopped for a while; heartbeats and timers are then due at the same moment.
    cluster.clock.stall(250)
    cluster.clock.advance(1000)
    expect(leader.driver.raftState.currentTerm).toBe(currentTerm)
    expect(cluster.network.sent.some((frame) => raftOf(frame, 'requestVote') !== null)).toBe(false)
  })

  test('an election deadline that passes while a turn waits to run is judged after the sockets were read once more', () => {
    const cluster = Cluster.started()
    const { leader } = cluster
    const deadlineOf = ({ driver: { raftState } }: (typeof cluster.nodes)[number]): number =>
      raftState.role.kind === 'follower' ? raftState.role.electionDeadline : Number.POSITIVE_INFINITY
    const [follower] = [...cluster.followers].sort((left, right) => deadlineOf(left) - deadlineOf(right))
    if (follower === undefined) throw new Error('no follower')
    const heartbeat = cluster.network.sent.findLast(
      (frame) => frame.recipient === follower.id && raftOf(frame, 'appendEntries') !== null,
    )
    if (heartbeat === undefined) throw new Error('no heartbeat')
    cluster.network.isolate(leader.id)
    cluster.clock.advance(deadlineOf(follower) - cluster.clock.monotonicMs() - 1)
    cluster.network.sent.length = 0
    // A turn is asked for in time; other work holds it up, and a heartbeat has reached the socket meanwhile.
    follower.driver.onPersisted(follower.driver.raftState.disk.durableWrite)
    cluster.clock.stall(50)
    cluster.clock.defer(() => follower.driver.onFrame(heartbeat))
    cluster.clock.settle()
    expect(cluster.network.sent.filter((frame) => raftOf(frame, 'preVoteRequest') !== null)).toEqual([])
    expect(follower.driver.raftState.role).toMatchObject({ kind: 'follower', leader: leader.id })
  })

  test('what a turn sends has left before the entries that it commits are applied', () => {
    const cluster = Cluster.started({ raft: { commitNewsMs: 0 } })
    const { leader } = cluster
    const session = openSession(leader)
    cluster.clock.advance(100)
    const order: string[] = []
    leader.driver.listen({
      applied: () => void order.push('applied'),
      batchApplied: () => undefined,
      roleChanged: () => undefined,
      stopped: () => undefined,
    })
    cluster.network.script = (frame) => {
      const append = raftOf(frame, 'appendEntries')
      if (append !== null && append.message.leaderCommit > session) order.push('commit index sent')
      return frame
    }
    submit(leader, session, 1)
    cluster.clock.settle()
    expect(order.filter((event, at) => order.indexOf(event) === at)).toEqual(['commit index sent', 'applied'])
  })

  test('an idle cluster writes nothing', () => {
    const cluster = Cluster.started()
    cluster.clock.advance(100)
    const { lastIndex } = cluster.leader.driver.raftState
    cluster.clock.advance(10_000)
    expect(cluster.leader.driver.raftState.lastIndex).toBe(lastIndex)
  })
})

import { expect, test } from 'vitest'
import type { LogIndex } from '../../../src/base/brand.ts'
import type { PeerFrame } from '../../../src/node/ports/peer-transport.ts'
import type { SnapshotMeta, SnapshotStore } from '../../../src/node/ports/snapshot-store.ts'
import type { StorageDone } from '../../../src/node/ports/storage-fault.ts'
import { Cluster } from '../cluster.ts'
import { openSession, resultOf, submit } from '../commands.ts'
import type { TestNode } from '../test-node.ts'

/** Boundaries every ten commands or so, and a log that goes behind them at once. */
const SMALL = { limits: { snapshotBytes: 2_000 }, segmentBytes: 4_096 }

function work(leader: TestNode, session: number, from: number, count: number): void {
  for (let id = from; id < from + count; id += 1) {
    submit(leader, session, id)
    leader.options.clock.settle()
  }
}

const snapshotOf = (node: TestNode): LogIndex => node.driver.raftState.trail.snapshotIndex

/** A cluster whose third node was away while the log of the others went past what it holds. */
function withOneAway(): { cluster: Cluster; leader: TestNode; away: TestNode; session: number } {
  const cluster = Cluster.started(SMALL)
  const { leader } = cluster
  const away = cluster.followers[0] as TestNode
  const session = openSession(leader)
  work(leader, session, 1, 5)
  away.crash()
  work(leader, session, 6, 100)
  cluster.until(() => snapshotOf(leader) > 50, 'the leader’s log begins above what the other one holds')
  return { cluster, leader, away, session }
}

const equal = (left: TestNode, right: TestNode): boolean =>
  left.driver.status().appliedIndex === right.driver.status().appliedIndex &&
  left.machine.stateHash() === right.machine.stateHash()

test('a follower that was away while the log went past it pulls a snapshot and goes on from there', () => {
  const { cluster, leader, away, session } = withOneAway()
  const installed: number[] = []
  away.start()
  away.driver.listen({
    applied: () => undefined,
    batchApplied: () => undefined,
    roleChanged: () => undefined,
    stopped: () => undefined,
    noted: (event) => {
      if (event.kind === 'snapshotInstalled') installed.push(event.index)
    },
  })
  cluster.until(() => equal(away, leader), 'it has the leader’s state')
  expect(installed).toHaveLength(1)
  expect(away.machine.sessionFacts(session)?.highest).toBe(105)
  away.machine.checkInvariants()
  // And it is a member like any other: it applies what comes, and leads when it must.
  const sink = submit(leader, session, 106)
  cluster.until(() => equal(away, leader) && sink.reply !== null, 'it follows')
  expect(resultOf(sink)).toBe(106)
  const hash = leader.machine.stateHash()
  away.restart()
  cluster.until(() => away.machine.stateHash() === hash, 'it begins with that snapshot')
})

test('who waits for an index at a node that installs a snapshot beyond it is told that it is reached', () => {
  const { cluster, leader, away } = withOneAway()
  away.start()
  const told: boolean[] = []
  away.driver.waitApplied(50, (reached) => told.push(reached))
  const wait = away.driver.waitApplied(50, (reached) => told.push(reached))
  expect(told).toEqual([])
  wait.cancel()
  cluster.until(() => equal(away, leader), 'it has the leader’s state')
  expect(told).toEqual([true])
})

test('who watches what a node applies hears of the entries that its snapshot takes the place of', () => {
  const { cluster, leader, away } = withOneAway()
  away.start()
  const [told, passedOver]: [number[], number[]] = [[], []]
  away.driver.inspection.feed.watch({
    entry: ({ index }) => told.push(index),
    passedOver: (upTo) => passedOver.push(upTo),
  })
  cluster.until(() => equal(away, leader), 'it has the leader’s state')
  expect(passedOver).toEqual([away.driver.status().snapshotIndex])
  expect(told.every((index) => index < Number(passedOver[0]))).toBe(true)
  expect(away.driver.inspection.feed.watched).toBe(false)
})

test('a pull goes on under the next leader, and with the next member', () => {
  const { cluster, leader, away, session } = withOneAway()
  away.start()
  cluster.until(() => cluster.network.pulled.length > 0, 'it has asked for a part')
  leader.crash()
  const next = cluster.elect()
  work(next, session, 106, 10)
  leader.start()
  cluster.until(() => cluster.nodes.every((node) => equal(node, next)), 'all have one state')
})

test('a process that dies in the middle of an install begins anew with what it had', () => {
  const { cluster, leader, away } = withOneAway()
  for (let steps = 1; steps <= 6; steps += 1) {
    away.start()
    away.holdSnapshots()
    cluster.clock.advance(200)
    for (let step = 0; step < steps; step += 1) {
      away.releaseSnapshot()
      cluster.clock.advance(20)
    }
    away.crash()
    cluster.clock.advance(50)
  }
  away.releaseSnapshots()
  away.start()
  cluster.until(() => equal(away, leader), 'it has the leader’s state')
})

test('rows that do not make up their snapshot change nothing: the node goes on with its own state, and pulls again', () => {
  const { cluster, leader, away } = withOneAway()
  let unmade = 1
  away.wrapSnapshots = (store) =>
    finishing(store, (finish, told) => {
      unmade -= 1
      if (unmade === 0) told(null, false)
      else finish(told)
    })
  away.start()
  const before = away.machine.stateHash()
  cluster.until(() => unmade <= 0, 'an install ends in nothing')
  expect([away.runs, away.machine.stateHash(), snapshotOf(away)]).toEqual([true, before, 0])
  cluster.until(() => equal(away, leader), 'it has the leader’s state')
})

test('who begins to wait while a snapshot is switched to is told as well, and so is who waits when the node closes meanwhile', () => {
  for (const closes of [false, true]) {
    const { cluster, leader, away } = withOneAway()
    const told: boolean[] = []
    let switching = false
    away.wrapSnapshots = (store) =>
      finishing(store, (finish, done) => {
        switching = true
        away.driver.waitApplied(50, (reached) => told.push(reached))
        cluster.clock.setTimer(1_000, () => finish(done))
      })
    away.start()
    away.driver.waitApplied(50, (reached) => told.push(reached))
    cluster.until(() => switching, 'it switches to a snapshot')
    if (closes) away.close()
    else cluster.until(() => equal(away, leader), 'it has the leader’s state')
    expect(told).toEqual([!closes, !closes])
  }
})

test('an offer that comes as a pulled snapshot is switched to has nothing pulled once more', () => {
  const { cluster, leader, away } = withOneAway()
  const { clock } = cluster
  const offers: PeerFrame[] = []
  cluster.network.script = (frame) => {
    if (frame.recipient === away.id && isOffer(frame)) offers.push(frame)
    return frame
  }
  const begun: number[] = []
  // The switch takes longer than a request for a part, and an offer is read in the turn in which it is over.
  away.wrapSnapshots = (store) =>
    finishing(store, (finish, told, meta) => {
      begun.push(meta.lastIncludedIndex)
      finish((fault, whole) =>
        clock.setTimer(3_000, () => {
          const offer = offers.at(-1)
          if (offer !== undefined) away.driver.onFrame(offer)
          told(fault, whole)
        }),
      )
    })
  away.start()
  cluster.until(() => equal(away, leader), 'it has the leader’s state')
  clock.advance(2_000)
  expect(begun).toHaveLength(1)
})

function isOffer({ body }: PeerFrame): boolean {
  return body.kind === 'raft' && body.message.kind === 'installSnapshot'
}

type Finish = (told: StorageDone<boolean>) => void

/** The store, in whose installs `ends` stands in the place of the end. */
function finishing(
  store: SnapshotStore,
  ends: (finish: Finish, told: StorageDone<boolean>, meta: SnapshotMeta) => void,
): SnapshotStore {
  const begin = store.install.bind(store)
  const install: SnapshotStore['install'] = (snapshot, done) =>
    begin(snapshot, (fault, made) => {
      const finish: Finish = (told) => ends((over) => made?.finish(over), told, snapshot.meta)
      done(fault, made && { ...made, finish })
    })
  return Object.assign(store, { install })
}

test('the log stays behind a snapshot that another member is pulling', () => {
  const { cluster, leader, away, session } = withOneAway()
  away.start()
  cluster.until(() => cluster.network.pulled.length > 0, 'it has asked for a part')
  away.crash()
  const before = snapshotOf(leader)
  work(leader, session, 106, 100)
  expect(leader.snapshots.meta?.lastIncludedIndex).toBeGreaterThan(before + 50)
  expect(snapshotOf(leader)).toBeLessThan(before + 40)
})

test('a request that is not of a member of this cluster, to this disk, gets nothing', () => {
  const { cluster, leader, away } = withOneAway()
  away.start()
  cluster.until(() => cluster.network.pulled.length > 0, 'it has asked for a part')
  const [request] = cluster.network.pulled
  if (request === undefined) throw new Error('nothing was asked')
  const wrong = [
    { clusterId: 'c2' },
    { recipientInstance: 'another' },
    { senderInstance: 'another' },
    { recipient: away.id },
  ]
  for (const change of wrong) {
    const answers: unknown[] = []
    leader.driver.onPull({ ...request, recipient: leader.id, ...change }, (answer) => answers.push(answer))
    cluster.clock.settle()
    expect(answers, JSON.stringify(change)).toEqual([null])
  }
})

import { expect, test } from 'vitest'
import { Cluster } from '../cluster.ts'
import { openSession, submit } from '../commands.ts'
import type { TestNode } from '../test-node.ts'

/** Record bytes between two boundaries; the product's default is 256 times as much. */
const INTERVAL = 256 * 1024
/** Segments are as large as the log makes them. */
const OPTIONS = { limits: { snapshotBytes: INTERVAL }, segmentBytes: INTERVAL / 8 }

/** Counts the snapshots that a node writes. */
function snapshotsOf(node: TestNode): () => number {
  let written = 0
  node.driver.listen({
    applied: () => undefined,
    batchApplied: () => undefined,
    roleChanged: () => undefined,
    stopped: () => undefined,
    noted: (event) => {
      if (event.kind === 'snapshotWritten') written += 1
    },
  })
  return () => written
}

/** Entries, so many in a write each, until `done`; the most that a log of any node came to meanwhile, in intervals. */
function fill(cluster: Cluster, perWrite: number, done: () => boolean): number {
  const { leader } = cluster
  const session = openSession(leader)
  let bytesMax = 0
  for (let id = 0; !done(); ) {
    for (let at = 0; at < perWrite; at += 1) submit(leader, session, (id += 1))
    cluster.clock.advance(1)
    bytesMax = Math.max(bytesMax, ...cluster.running.map((node) => node.logBytes))
  }
  return bytesMax / INTERVAL
}

test('a log of entries that are written alone, two sectors each, takes four intervals at most', () => {
  const cluster = Cluster.started(OPTIONS, ['n1'])
  const written = snapshotsOf(cluster.leader)
  expect(fill(cluster, 1, () => written() >= 3)).toBeLessThanOrEqual(4)
})

test('the logs of a cluster under load take four intervals at most', () => {
  const cluster = Cluster.started(OPTIONS)
  const written = cluster.nodes.map(snapshotsOf)
  expect(fill(cluster, 100, () => written.every((each) => each() >= 4))).toBeLessThanOrEqual(4)
})

test('a log whose snapshots take long takes four intervals at most: nothing is applied meanwhile', () => {
  const cluster = Cluster.started(OPTIONS, ['n1'])
  const { leader } = cluster
  const written = snapshotsOf(leader)
  const unapplied = (): number => leader.driver.status().commitIndex - leader.driver.status().appliedIndex
  leader.holdSnapshots()
  const intervals = fill(cluster, 100, () => unapplied() > 200)
  expect(intervals).toBeGreaterThan(3)
  expect(intervals).toBeLessThanOrEqual(4)
  leader.releaseSnapshots()
  cluster.until(() => written() >= 3 && unapplied() === 0, 'it goes on')
})

test('segments are an eighth of what is logged between two snapshots', () => {
  const cluster = Cluster.started({ limits: { snapshotBytes: 512 * 1024 }, segmentBytes: 64 * 1024 * 1024 }, ['n1'])
  const written = snapshotsOf(cluster.leader)
  expect(fill(cluster, 100, () => written() >= 4)).toBeLessThanOrEqual(2 * 4)
})

test('a process that dies before its snapshots are written finds everything in its log', () => {
  const cluster = Cluster.started({ limits: { snapshotBytes: 2_000 }, segmentBytes: 4_096 }, ['n1'])
  const { leader } = cluster
  leader.holdSnapshots()
  fill(cluster, 10, () => leader.driver.status().commitIndex > leader.driver.status().appliedIndex)
  const { commitIndex } = leader.driver.status()
  leader.restart()
  expect(leader.openFault).toBe(null)
  cluster.until(() => leader.driver.status().appliedIndex >= commitIndex, 'it applies all of it again')
})

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { agreement, eventually, leaderOf } from '../../../bench/agreement.ts'
import { type NodeId, nodeId } from '../../../src/base/brand.ts'
import type { LocalCluster } from '../../../src/cli/cluster/local-cluster.ts'
import { connect } from '../../../src/client/index.ts'
import { compileOnce, readerOf, realCluster, Said } from '../processes.ts'
import { Writers } from '../writers.ts'

beforeAll(compileOnce)

/** Half a minute on an idle machine; where processors are busy, many times as long. */
const TIMEOUT_MS = 600_000
/** Record bytes between two snapshots: some twenty rows. */
const SNAPSHOT_BYTES = 200_000
/** Rows of the state, of some KiB each: a pull takes more than ten parts. */
const ROWS = 400
const VALUE = 'v'.repeat(8000)
/** More than the log keeps behind its newest snapshot. */
const MISSED = 120

interface Filled {
  readonly cluster: LocalCluster
  readonly said: Said
  /** Writes so many rows more, over those that are there. */
  write(count: number): Promise<void>
}

/** A cluster with a state that takes a while to pull. */
async function filled(): Promise<Filled> {
  const said = new Said()
  const environment = { HOLDFAST_LIMITS: `snapshotBytes=${SNAPSHOT_BYTES}`, HOLDFAST_LOG_LEVEL: 'info' }
  const cluster = await realCluster({ environment, onLine: said.hear })
  const patient = { connectDeadlineMs: 120_000, deadlineMs: 120_000, timeoutMs: 600_000 }
  const session = await connect({ endpoints: cluster.endpoints, principal: 'user:a', ...patient })
  onTestFinished(() => void session.detach())
  let written = 0
  const write = async (count: number): Promise<void> => {
    for (const end = written + count; written < end; written += 1) {
      await session.execute('register', 'write', { key: `row-${written % ROWS}`, value: VALUE })
    }
  }
  await write(ROWS)
  return { cluster, said, write }
}

async function followerOf(cluster: LocalCluster): Promise<NodeId> {
  const { id } = await leaderOf(cluster)
  const follower = cluster.members.find((member) => member.id !== id)
  if (follower === undefined) throw new Error('three nodes have a follower')
  return follower.id
}

/** Index of the newest state directory of a node, and of the one that CURRENT names: another one was, or is, on its way. */
async function statesOf(cluster: LocalCluster, id: NodeId): Promise<{ newest: number; current: number }> {
  const group = join(cluster.dataDirectory(id), 'group-0')
  const indexOf = (name: string): number => Number(/^state-(\d+)$/.exec(name.trim())?.[1] ?? -1)
  const current = indexOf(await readFile(join(group, 'CURRENT'), 'utf8'))
  return { newest: Math.max(...(await readdir(group)).map(indexOf)), current }
}

/** Snapshots that the node says it has installed so far. */
const installsOf = (said: Said, id: NodeId): number =>
  said.lines.filter((each) => each.id === id && each.line.includes('"event":"snapshotInstalled"')).length

/** Starts a node that is behind; resolves in the midst of its install, or at the end of one that was too fast to be seen. */
async function startToInstall({ cluster, said }: Filled, id: NodeId): Promise<void> {
  const installs = installsOf(said, id)
  const { newest } = await statesOf(cluster, id)
  // It is not waited for: a node that is killed meanwhile never becomes ready.
  void cluster.startNode(id).catch(() => null)
  while (installsOf(said, id) === installs && (await statesOf(cluster, id)).newest <= newest) await pause(2)
}

/** Resolves once the node has installed more snapshots than that. */
const moreInstalls = ({ said }: Filled, id: NodeId, than: number): Promise<true> =>
  eventually(`${id} has installed a snapshot`, () => Promise.resolve(installsOf(said, id) > than || null))

test('a follower that was away while the log went behind what it holds comes back under load with the same state', {
  timeout: TIMEOUT_MS,
}, async () => {
  const world = await filled()
  const { cluster, write } = world
  const writers = await Writers.start({ endpoints: cluster.endpoints, name: 'w', sessions: 8 })
  const away = await followerOf(cluster)
  await cluster.kill(away)
  await write(MISSED)
  await cluster.startNode(away)
  await moreInstalls(world, away, 0)
  await writers.more(200)
  await writers.stop()
  await agreement(cluster.endpoints)
  await writers.expectExactlyOnce(await readerOf(cluster.endpoints))
})

test('a follower that is killed in the middle of installs, and one whose sender is, end with the same state', {
  timeout: TIMEOUT_MS,
}, async () => {
  const world = await filled()
  const { cluster, write } = world
  const writers = await Writers.start({ endpoints: cluster.endpoints, name: 'w', sessions: 4 })
  const away = await followerOf(cluster)
  await cluster.kill(away)
  let interrupted = 0
  for (let round = 0; round < 6 && interrupted < 2; round += 1) {
    await write(MISSED)
    await startToInstall(world, away)
    await cluster.kill(away)
    // Where the kill came too late for this one it has the whole new snapshot, and misses the next entries.
    const { newest, current } = await statesOf(cluster, away)
    if (newest > current) interrupted += 1
  }
  expect(interrupted).toBeGreaterThan(0)
  await write(MISSED)
  const before = installsOf(world.said, away)
  await startToInstall(world, away)
  const sender = nodeId((await leaderOf(cluster)).id)
  await cluster.kill(sender)
  // The two that are left elect one of themselves: the other member has the snapshot, too.
  await moreInstalls(world, away, before)
  await cluster.startNode(sender)
  await writers.more(100)
  await writers.stop()
  await agreement(cluster.endpoints)
  await writers.expectExactlyOnce(await readerOf(cluster.endpoints))
})

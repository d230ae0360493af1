import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { agreement, eventually } from '../../../bench/agreement.ts'
import type { Member } from '../../../src/cli/cluster/address.ts'
import type { LocalCluster } from '../../../src/cli/cluster/local-cluster.ts'
import { connect } from '../../../src/client/index.ts'
import { compileOnce, killAll, readerOf, realCluster, Said, startAll } from '../processes.ts'
import { Writers } from '../writers.ts'

beforeAll(compileOnce)

const TIMEOUT_MS = 170_000
const SECTOR_BYTES = 4096
/** Somewhere in what the sessions have written. */
const AFTER_THE_BEGINNING = 40_000

interface Damaging {
  readonly cluster: LocalCluster
  readonly said: Said
  readonly writers: Writers
  /** The node that is damaged, and one of the others. */
  readonly damaged: Member
  readonly other: Member
  /** The damaged node's `group-0`. */
  readonly group: string
}

/** Three processes, and sessions that write all the time. */
async function writtenCluster(): Promise<Damaging> {
  const said = new Said()
  const cluster = await realCluster({ environment: { HOLDFAST_LOG_LEVEL: 'warn' }, onLine: said.hear })
  const writers = await Writers.start({ endpoints: cluster.endpoints, name: 'damage', sessions: 10 })
  await writers.more(300)
  const [, damaged, other] = cluster.members
  if (damaged === undefined || other === undefined) throw new Error('a cluster of three has three nodes')
  return { cluster, said, writers, damaged, other, group: join(cluster.dataDirectory(damaged.id), 'group-0') }
}

/** Without the other node there is a majority with the damaged one only; in the end everything was executed once. */
async function expectItCounts({ cluster, writers, other }: Damaging): Promise<void> {
  await cluster.kill(other.id)
  await writers.more(100)
  await cluster.startNode(other.id)
  await writers.stop()
  const reader = await readerOf(cluster.endpoints)
  await writers.expectExactlyOnce(reader)
  await reader.close()
  await agreement(cluster.endpoints)
}

/** Changes one byte of a file. */
async function flip(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+')
  try {
    const byte = Buffer.alloc(1)
    await file.read(byte, 0, 1, at)
    byte[0] = (byte[0] ?? 0) ^ 1
    await file.write(byte, 0, 1, at)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function filesOf(directory: string, ending: RegExp): Promise<string[]> {
  const names = (await readdir(directory)).filter((name) => ending.test(name)).sort()
  return names.map((name) => join(directory, name))
}

const PLACES = {
  record: async (group: string) => flip((await filesOf(join(group, 'log'), /\.wal$/))[0] ?? '', SECTOR_BYTES + 2000),
  header: async (group: string) => flip((await filesOf(join(group, 'log'), /\.wal$/))[0] ?? '', 20),
  marker: async (group: string) => {
    await flip(join(group, 'marker'), 20)
    await flip(join(group, 'marker'), SECTOR_BYTES + 20)
  },
}

/** The note of what a node owes goes once its log is whole again. */
async function paid(group: string): Promise<void> {
  const owes = (): Promise<boolean> => stat(join(group, 'obligation')).then(Boolean, () => false)
  await eventually('nothing is owed', async () => ((await owes()) ? null : true))
}

test(
  'a node whose log or marker is damaged starts, gets what it lost from the others, and votes again',
  async () => {
    const damaging = await writtenCluster()
    const { cluster, said, writers, damaged, group } = damaging
    for (const place of ['record', 'header', 'marker'] as const) {
      await cluster.kill(damaged.id)
      await PLACES[place](group)
      said.lines.length = 0
      await cluster.startNode(damaged.id)
      await said.until(damaged.id, '"event":"logDamaged"')
      await writers.more(100)
      await paid(group)
    }
    await expectItCounts(damaging)
  },
  TIMEOUT_MS,
)

test(
  'nodes whose logs are all damaged at once go on from what the longest of them still has, and say what is lost',
  async () => {
    const { cluster, said, writers } = await writtenCluster()
    await writers.stop()
    await killAll(cluster)
    for (const { id } of cluster.members) {
      const [segment = ''] = await filesOf(join(cluster.dataDirectory(id), 'group-0', 'log'), /\.wal$/)
      await flip(segment, AFTER_THE_BEGINNING)
    }
    said.lines.length = 0
    await startAll(cluster)
    await Promise.any(cluster.members.map(({ id }) => said.until(id, '"event":"entriesLost"')))
    await Promise.all(cluster.members.map(({ id }) => paid(join(cluster.dataDirectory(id), 'group-0'))))
    const session = await connect({ endpoints: cluster.endpoints, principal: 'user:after', connectDeadlineMs: 60_000 })
    expect(await session.execute('counter', 'increment', { name: 'after', by: 1 })).toMatchObject({ kind: 'ok' })
    await session.close()
    await agreement(cluster.endpoints)
  },
  TIMEOUT_MS,
)

import { cp, rm } from 'node:fs/promises'
import { beforeAll, expect, test } from 'vitest'
import { agreement, leaderOf } from '../../bench/agreement.ts'
import { compileOnce, killAll, readerOf, realCluster, startAll, temporaryDirectory } from './processes.ts'
import { Writers } from './writers.ts'

beforeAll(compileOnce)

/** Many processes start one after another: seconds on an idle machine, minutes on a busy one. */
const TIMEOUT_MS = 180_000

test(
  'a node that was killed between handshake and first election lets another one lead while the third is down',
  async () => {
    const cluster = await realCluster()
    const [first, second, late] = cluster.members.map((member) => member.id)
    if (first === undefined || second === undefined || late === undefined) throw new Error('three nodes')
    // What a node leaves that was killed before the first election: its instance, and an empty log.
    await killAll(cluster)
    for (const { id } of cluster.members) await rm(cluster.dataDirectory(id), { recursive: true })
    await cluster.startNode(late)
    await cluster.kill(late)
    const beforeElection = await temporaryDirectory()
    await cp(cluster.dataDirectory(late), beforeElection, { recursive: true })
    await startAll(cluster)
    const writers = await Writers.start({ endpoints: cluster.endpoints, name: 'w', sessions: 4, inFlight: 4 })
    await writers.more(50)
    // All that is acknowledged is on both others before the disk of the late one takes back what it took part in since.
    await agreement(cluster.endpoints)
    await cluster.kill(late)
    await rm(cluster.dataDirectory(late), { recursive: true })
    await cp(beforeElection, cluster.dataDirectory(late), { recursive: true })
    await writers.more(50)

    const { id, term } = await leaderOf(cluster)
    const survivor = id === first ? second : first
    await cluster.kill(id === first ? first : second)
    await cluster.startNode(late)
    await writers.more(50)
    const next = await leaderOf(cluster)
    expect(next.id).toBe(survivor)
    expect(next.term).toBeGreaterThan(term)
    await writers.stop()
    const reader = await readerOf(cluster.endpoints)
    await writers.expectExactlyOnce(reader)
    await reader.close()
  },
  TIMEOUT_MS,
)

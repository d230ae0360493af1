import { cp, rm } from 'node:fs/promises'
import { beforeAll, expect, test } from 'vitest'
import { agreement, leaderOf, statusOf } from '../../bench/agreement.ts'
import { formatHostPort } from '../../src/base/host-port.ts'
import type { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { compileOnce, readerOf, realCluster, Said } from './processes.ts'
import { Writers } from './writers.ts'

beforeAll(compileOnce)

// Real processes under faults (faults.md §5). Many start one after another, which takes minutes on a busy machine.
const TIMEOUT_MS = 180_000

function memberOf(cluster: LocalCluster, id: string) {
  const member = cluster.members.find((candidate) => candidate.id === id)
  if (member === undefined) throw new Error(`there is no ${id}`)
  return member
}

function endpointOf(cluster: LocalCluster, id: string): string {
  return formatHostPort(memberOf(cluster, id).address)
}

/** Some node that does not lead. */
async function followerOf(cluster: LocalCluster) {
  const leader = await leaderOf(cluster)
  const follower = cluster.members.find((member) => member.id !== leader.id)
  if (follower === undefined) throw new Error('a cluster of one has no follower')
  return { leader, follower }
}

async function expectAllThere(cluster: LocalCluster, writers: Writers): Promise<void> {
  const reader = await readerOf(cluster.endpoints)
  await writers.expectExactlyOnce(reader)
  await reader.close()
}

/** What nodes say to stderr once they are ready is their log and nothing else. */
function expectLogLines({ lines }: Said): void {
  expect(lines.length).toBeGreaterThan(0)
  for (const { id, line } of lines) {
    expect(JSON.parse(line)).toMatchObject({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      level: expect.stringMatching(/^(?:info|warn)$/),
      node: id,
      group: 0,
      term: expect.any(Number),
    })
  }
}

test(
  'P-02 P-27 P-32 a client goes on with the same ids when the leader is killed, and each command is applied once',
  async () => {
    const said = new Said()
    const cluster = await realCluster({ onLine: said.hear })
    const writers = await Writers.start({ endpoints: cluster.endpoints, name: 'w', sessions: 30, inFlight: 4 })
    for (let kill = 1; kill <= 2; kill += 1) {
      await writers.more(300)
      const { id, term } = await leaderOf(cluster)
      await cluster.kill(memberOf(cluster, id).id)
      await writers.more(300)
      const next = await leaderOf(cluster)
      expect(next.id).not.toBe(id)
      expect(next.term).toBeGreaterThan(term)
      await cluster.startNode(memberOf(cluster, id).id)
    }
    await writers.stop()
    await expectAllThere(cluster, writers)
    const { id, term } = await leaderOf(cluster)
    await agreement(cluster.endpoints)
    expectLogLines(said)
    expect(await said.until(id, `leads term ${term} and serves`)).toContain('"event":"roleChanged"')
  },
  TIMEOUT_MS,
)

test(
  'SIGTERM ends a follower with exit code 0; the cluster serves without it, and it catches up once it is back',
  async () => {
    const cluster = await realCluster()
    const { follower } = await followerOf(cluster)
    const writers = await Writers.start({ endpoints: cluster.endpoints, name: 'w', sessions: 20 })
    await writers.more(200)
    const process = cluster.process(follower.id)
    await process?.stop()
    expect(await process?.exited).toEqual({ code: 0, signal: null })
    await writers.more(400)
    await writers.stop()
    const { commitIndex } = await leaderOf(cluster)
    await cluster.startNode(follower.id)
    const agreed = await agreement(cluster.endpoints, commitIndex)
    expect(agreed.index).toBeGreaterThanOrEqual(commitIndex)
    await expectAllThere(cluster, writers)
  },
  TIMEOUT_MS,
)

test(
  'a node that comes back with a wiped directory is refused by its instance id, and the cluster goes on without it',
  async () => {
    const said = new Said()
    const cluster = await realCluster({ onLine: said.hear })
    const { leader, follower } = await followerOf(cluster)
    const writers = await Writers.start({ endpoints: cluster.endpoints, name: 'w', sessions: 10 })
    await writers.more(100)
    await cluster.kill(follower.id)
    await rm(cluster.dataDirectory(follower.id), { recursive: true })
    await cluster.startNode(follower.id)
    // Both sides say so, and what to do: the node itself, and the leader that knows its old directory.
    expect(await said.until(follower.id, 'WRONG_INSTANCE')).toMatch(
      /another data directory.*Start it on the directory that its peers know/,
    )
    await said.until(leader.id, 'WRONG_INSTANCE')
    await writers.more(200)
    await writers.stop()
    await expectAllThere(cluster, writers)
    // It holds nothing and counts for nothing. A busy machine may elect another leader meanwhile, never this node.
    expect(await statusOf(endpointOf(cluster, follower.id))).toMatchObject({
      lastIndex: 0,
      appliedIndex: 0,
      role: 'follower',
    })
    expect((await leaderOf(cluster))?.id).not.toBe(follower.id)
  },
  TIMEOUT_MS,
)

test(
  'a node of another cluster is refused, and the cluster goes on without it',
  async () => {
    const said = new Said()
    const [cluster, other] = await Promise.all([realCluster({ onLine: said.hear }), realCluster()])
    const { index } = await agreement(other.endpoints, 2)
    const { leader, follower } = await followerOf(cluster)
    const writers = await Writers.start({ endpoints: cluster.endpoints, name: 'w', sessions: 10 })
    await writers.more(100)
    await Promise.all([cluster.kill(follower.id), ...other.members.map((member) => other.kill(member.id))])
    // Somebody copied the directory of the other cluster's node of the same name.
    await rm(cluster.dataDirectory(follower.id), { recursive: true })
    await cp(other.dataDirectory(follower.id), cluster.dataDirectory(follower.id), { recursive: true })
    await cluster.startNode(follower.id)
    expect(await said.until(follower.id, 'WRONG_CLUSTER')).toContain('Check the addresses')
    await said.until(leader.id, 'WRONG_CLUSTER')
    await writers.more(200)
    await writers.stop()
    await expectAllThere(cluster, writers)
    const status = await statusOf(endpointOf(cluster, follower.id))
    expect(status).toMatchObject({ lastIndex: index })
    expect(status?.clusterId).not.toBe(leader.clusterId)
    expect((await leaderOf(cluster))?.id).not.toBe(follower.id)
  },
  TIMEOUT_MS,
)

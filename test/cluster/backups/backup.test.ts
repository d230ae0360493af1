import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { agreement, leaderOf, statusOf } from '../../../bench/agreement.ts'
import { LocalCluster, MEMBERS_FILE } from '../../../src/cli/cluster/local-cluster.ts'
import { packageFacts } from '../../../src/cli/package-root.ts'
import { nodeId } from '../../../src/base/brand.ts'
import { connect } from '../../../src/client/index.ts'
import { compileOnce, killAll, readerOf, realCluster, temporaryDirectory } from '../processes.ts'
import { Writers } from '../writers.ts'

beforeAll(compileOnce)

const TIMEOUT_MS = 600_000

/** Runs `holdfast` and gives its one JSON object; rejects when it does not end with 0. */
async function holdfast(...words: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await ran(...words)
  if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}: ${stderr}`)
  return JSON.parse(stdout)
}

function ran(...words: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const executable = join(packageFacts().root, 'dist/src/cli/main.js')
  const child = spawn(process.execPath, [executable, ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (text: Buffer) => {
    stdout += String(text)
  })
  child.stderr.on('data', (text: Buffer) => {
    stderr += String(text)
  })
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })))
}

/** Restores the file as that cluster and starts it; every process is killed once the test has finished. */
async function restored(file: string, members: string, environment: Record<string, string>): Promise<LocalCluster> {
  const directory = await temporaryDirectory()
  await writeFile(join(directory, MEMBERS_FILE), `${members}\n`)
  const ids = members.split(',').map((member) => member.split('=')[0] ?? '')
  let incarnation: readonly string[] = []
  for (const id of ids) {
    const place = ['--data', join(directory, id), '--id', id, '--peers', members]
    const said = await holdfast('restore', file, ...place, ...incarnation, '--json')
    incarnation = ['--incarnation', String(said['incarnationNamed'])]
  }
  const cluster = await LocalCluster.start({ nodes: ids.length, directory, environment })
  onTestFinished(() => killAll(cluster))
  return cluster
}

test('a backup that a follower gives under load is restored as a cluster of three and of one, with an equal state, and serves', {
  timeout: TIMEOUT_MS,
}, async () => {
  const environment = { HOLDFAST_LIMITS: 'snapshotBytes=200000' }
  const cluster = await realCluster({ environment })
  const session = await connect({ endpoints: cluster.endpoints, principal: 'user:a' })
  for (let row = 0; row < 150; row += 1)
    await session.execute('register', 'write', { key: `row-${row}`, value: 'v'.repeat(4000) })
  const { token } = session
  if (token === null) throw new Error('a session has a token')
  const writers = await Writers.start({ endpoints: cluster.endpoints, name: 'w', sessions: 8 })
  const { id: leader } = await leaderOf(cluster)
  const at = cluster.members.findIndex((member) => member.id !== leader)
  const follower = cluster.endpoints[at] ?? ''
  const around = await temporaryDirectory()
  const file = join(around, 'backup')
  const made = await holdfast('backup', 'create', file, '--endpoints', follower, '--json')
  expect(made).toMatchObject({ node: cluster.members[at]?.id, incarnation: 1 })
  expect(Number(made['rows'])).toBeGreaterThan(100)
  await writers.stop()
  session.detach()
  expect(await holdfast('backup', 'verify', file, '--json')).toMatchObject({ ok: true, stateHash: made['stateHash'] })
  // No second one in its place.
  expect(await ran('backup', 'create', file, '--endpoints', follower)).toMatchObject({ code: 2 })
  const old = nodeId('n3')
  await killAll(cluster)

  const three = await restored(file, cluster.membersText, environment)
  const reader = await readerOf(three.endpoints)
  const row = await reader.query('register', 'read', { key: 'row-149' })
  expect(row).toMatchObject({ kind: 'ok' })
  const { index } = await agreement(three.endpoints, Number(made['index']) + 1)
  expect(index).toBeGreaterThan(Number(made['index']))
  await expect(
    connect({ endpoints: three.endpoints, principal: 'user:a', resume: token, connectDeadlineMs: 20_000 }),
  ).rejects.toMatchObject({ code: 'CLUSTER_CHANGED' })

  // A member of the old cluster, at the address of one that the new one has: nobody hears it, and it leads nobody.
  await three.kill(old)
  await cluster.startNode(old)
  await reader.execute('register', 'write', { key: 'after', value: 'x' })
  const [, , stranger] = await Promise.all(cluster.endpoints.map(statusOf))
  expect(stranger).toMatchObject({ incarnation: 1 })
  expect(stranger?.appliedIndex).toBeLessThanOrEqual(index)
  const refused = await statusOf(three.endpoints[0] ?? '')
  expect(refused?.clusterId).not.toBe(stranger?.clusterId)
  await cluster.kill(old)
  await killAll(three)

  const one = await restored(file, `n1=${cluster.endpoints[0]}`, environment)
  const alone = await readerOf(one.endpoints)
  await alone.execute('register', 'write', { key: 'after', value: 'x' })
  expect(await alone.query('register', 'read', { key: 'row-0' })).toMatchObject({ kind: 'ok' })
})

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { agreement, eventually, leaderOf, statusOf } from '../../../bench/agreement.ts'
import { executablePath } from '../../../src/cli/package-root.ts'
import { connect } from '../../../src/client/index.ts'
import { runNode, userProject } from '../../host/user-project.ts'
import { compileOnce, realCluster } from '../processes.ts'
import { writeMarksModule } from './marks-module.ts'
import { Counting, endpointOf, haltOf } from './odd-node.ts'

beforeAll(compileOnce)

const TIMEOUT_MS = 150_000
const PATIENT = { principal: 'user:a', deadlineMs: 60_000, connectDeadlineMs: 60_000 }
/** Record bytes between two snapshots. */
const LIMITS = { HOLDFAST_LIMITS: 'snapshotBytes=6000' }

const holdfast = (...words: string[]): Promise<{ code: number | null; out: string; err: string }> =>
  runNode(process.cwd(), [executablePath(), ...words])

test(
  'a node whose snapshot holds what other handlers made of the log takes the state of the others in one command',
  async () => {
    const path = join(userProject(), 'machines.js')
    writeMarksModule(path, null)
    const cluster = await realCluster({ machines: path, environment: LIMITS })
    const session = await connect({ ...PATIENT, endpoints: cluster.endpoints })
    onTestFinished(async () => void (await session.close()))
    const counting = new Counting(session)
    await counting.add('before', 3)
    const { id } = await leaderOf(cluster)
    const [odd, away] = cluster.members.filter((member) => member.id !== id)
    if (odd === undefined || away === undefined) throw new Error('three members')
    const data = cluster.dataDirectory(odd.id)

    // Of two that differ nobody knows who is right: both go on, and write snapshots.
    await cluster.process(odd.id)?.stop()
    writeMarksModule(path, 'o')
    await cluster.startNode(odd.id)
    writeMarksModule(path, null)
    await cluster.kill(away.id)
    const before = (await statusOf(endpointOf(cluster, odd)))?.snapshotIndex ?? 0
    await counting.addUntil('late', async () => {
      const status = await statusOf(endpointOf(cluster, odd))
      return status !== null && status.snapshotIndex > before + 40 ? status : null
    })
    await cluster.startNode(away.id)
    expect((await haltOf(cluster, odd)).halted?.message).toContain('may hold the difference already')

    // With the right handlers it begins with that snapshot, and nothing changes.
    await cluster.process(odd.id)?.stop()
    await cluster.startNode(odd.id)
    const { halted } = await haltOf(cluster, odd)
    expect(halted?.message).toContain('holdfast recover refetch-state --data')
    expect((await holdfast('recover', 'refetch-state', '--data', data)).err).toContain('in use by process')

    await cluster.process(odd.id)?.stop()
    expect(await holdfast('recover', 'refetch-state', '--data', data)).toMatchObject({
      code: 0,
      out: expect.stringContaining(`holdfast recover discard-state --data ${data}`),
    })
    expect(await holdfast('recover', 'refetch-state', '--data', data)).toMatchObject({
      code: 4,
      err: expect.stringContaining('a state that was set aside before is kept in'),
    })
    await cluster.startNode(odd.id)
    await counting.add('after')
    await eventually('it serves again', async () => {
      const status = await statusOf(endpointOf(cluster, odd))
      return status !== null && status.halted === null ? status : null
    })
    const { commitIndex } = await leaderOf(cluster)
    await agreement(cluster.endpoints, commitIndex)
    await counting.verify()

    const kept = join(data, 'group-0', 'state-set-aside')
    expect(existsSync(kept)).toBe(true)
    expect((await holdfast('recover', 'discard-state', '--data', data)).code).toBe(0)
    expect(existsSync(kept)).toBe(false)
    expect((await holdfast('status', '--endpoints', cluster.endpoints.join(','))).code).toBe(0)
  },
  TIMEOUT_MS,
)

import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { agreement, eventually, leaderOf, statusOf } from '../../../bench/agreement.ts'
import { writeTallyModule } from '../../../bench/upgrade/tally-module.ts'
import { nodeId } from '../../../src/base/brand.ts'
import type { LocalCluster } from '../../../src/cli/cluster/local-cluster.ts'
import { executablePath } from '../../../src/cli/package-root.ts'
import { connect } from '../../../src/client/index.ts'
import { runNode, userProject } from '../../host/user-project.ts'
import { compileOnce, realCluster, Said } from '../processes.ts'
import { writeMarksModule } from './marks-module.ts'
import { Counting, endpointOf, haltOf, makeLead, type Member, staleQuery } from './odd-node.ts'

beforeAll(compileOnce)

const PATIENT = { principal: 'user:a', deadlineMs: 60_000, connectDeadlineMs: 60_000 }

interface Marked {
  readonly path: string
  readonly said: Said
  readonly cluster: LocalCluster
  readonly counting: Counting
  /** The members, the leader last. */
  readonly members: readonly [Member, Member, Member]
}

/** Three processes that all have the right handlers, and a session that has added three times. */
async function markedCluster(): Promise<Marked> {
  const path = join(userProject(), 'machines.js')
  writeMarksModule(path, null)
  const said = new Said()
  const cluster = await realCluster({ machines: path, onLine: said.hear })
  const session = await connect({ ...PATIENT, endpoints: cluster.endpoints })
  onTestFinished(async () => void (await session.close()))
  const counting = new Counting(session)
  await counting.add('before', 3)
  const { id } = await leaderOf(cluster)
  const [first, second, third] = cluster.members.toSorted(
    (left, right) => Number(left.id === id) - Number(right.id === id),
  )
  if (first === undefined || second === undefined || third === undefined) throw new Error('three members')
  return { path, said, cluster, counting, members: [first, second, third] }
}

/** Stops a member and starts it with handlers that leave `odd` as their mark; others that start have the right ones. */
async function restartOdd({ cluster, path }: Marked, member: Member, odd: string): Promise<void> {
  await cluster.process(member.id)?.stop()
  writeMarksModule(path, odd)
  await cluster.startNode(member.id)
  writeMarksModule(path, null)
}

/** `holdfast status` of the whole cluster. */
function statusCommand(cluster: LocalCluster): Promise<{ code: number | null; out: string; err: string }> {
  return runNode(process.cwd(), [executablePath(), 'status', '--endpoints', cluster.endpoints.join(',')])
}

/** With the right handlers it applies everything again, and has the state of the others. */
async function comesBack({ cluster, counting }: Marked, member: Member): Promise<void> {
  await cluster.process(member.id)?.stop()
  await cluster.startNode(member.id)
  await counting.add('after')
  const { commitIndex } = await leaderOf(cluster)
  await agreement(cluster.endpoints, commitIndex)
  expect((await statusOf(endpointOf(cluster, member)))?.halted).toBeNull()
  await counting.verify()
}

test('a follower with other handlers at the same version is warned about, then found out, and serves and leads no more', async () => {
  const marked = await markedCluster()
  const { cluster, counting, said, members } = marked
  const [odd] = members
  await restartOdd(marked, odd, 'o')
  const warned = await eventually('a warning of other handlers', async () => {
    const { out } = await statusCommand(cluster)
    return out.includes('marks 1 has other code on some nodes') ? out : null
  })
  expect(warned).not.toContain('halted')

  await counting.add('late')
  const { halted } = await haltOf(cluster, odd)
  expect(halted).toMatchObject({ code: 'DIVERGED' })
  expect(await said.until(odd.id, '"event":"halted"')).toContain('DIVERGED')
  expect(await staleQuery(endpointOf(cluster, odd), 'late')).toContain('HALTED')
  const { code, out } = await statusCommand(cluster)
  expect(code).toBe(5)
  expect(out).toMatch(new RegExp(`${odd.id} +follower +halted`))
  expect(out).toContain(`${odd.id} has halted, DIVERGED: at entry ${halted?.index} the state here is another`)

  // Whoever is killed: the odd one does not lead, for another one can.
  const { id: leader } = await leaderOf(cluster)
  await cluster.kill(nodeId(leader))
  await counting.add('late', 3)
  expect((await leaderOf(cluster)).id).not.toBe(odd.id)
  await cluster.startNode(nodeId(leader))
  await counting.verify()
  await comesBack(marked, odd)
})

test('a leader with other handlers hands over, and what it acknowledged stays', async () => {
  const marked = await markedCluster()
  const { cluster, counting, said, members } = marked
  const [odd] = members
  await restartOdd(marked, odd, 'o')
  await makeLead(cluster, members, () => counting.add('before'))

  await counting.add('late', 5)
  expect((await haltOf(cluster, odd)).halted).toMatchObject({ code: 'DIVERGED' })
  await said.until(odd.id, '"event":"halted"')
  await counting.add('late', 5)
  expect((await leaderOf(cluster)).id).not.toBe(odd.id)
  await counting.verify()
  await comesBack(marked, odd)
})

test('a leader that reaches a version which it lacks hands over, and the others go on where it stopped', async () => {
  const path = join(userProject(), 'machines.js')
  writeTallyModule(path, 'new')
  const cluster = await realCluster({ machines: path })
  const session = await connect({ ...PATIENT, endpoints: cluster.endpoints })
  onTestFinished(async () => void (await session.close()))
  let count = 0
  const add = async (): Promise<void> => {
    count += 1
    expect(await session.execute('tally', 'add', 'x')).toMatchObject({ kind: 'ok', value: { count, bySecond: count } })
  }
  for (let time = 0; time < 3; time += 1) await add()

  const [old, second, third] = cluster.members
  if (old === undefined || second === undefined || third === undefined) throw new Error('three members')
  await cluster.kill(third.id)
  await add()
  await Promise.all([cluster.kill(old.id), cluster.kill(second.id)])
  // Its log ends after that of the other one, so that it is elected, and applies what it could not know to be committed.
  writeTallyModule(path, 'old')
  await cluster.startNode(old.id)
  writeTallyModule(path, 'new')
  await cluster.startNode(third.id)
  const { halted } = await haltOf(cluster, old)
  expect(halted).toMatchObject({ code: 'MACHINE_MISSING' })
  expect(halted?.message).toContain('tally at version 2')
  await add()
  expect(await leaderOf(cluster)).toMatchObject({ id: third.id })
  await cluster.startNode(second.id)
  await add()
})

test('of three that all make another state nobody is right: all say so, none halts, and one history is served', async () => {
  const marked = await markedCluster()
  const { cluster, counting, said, members } = marked
  const [first, second] = members
  await restartOdd(marked, first, 'o')
  await restartOdd(marked, second, 'p')
  await counting.add('late', 5)
  for (const { id } of members) {
    const line = await eventually(`${id} tells of two others`, async () => {
      const lines = said.lines.filter((each) => each.id === id && each.line.includes('"event":"stateDiffers"'))
      const named = lines.map((each) => each.line).join()
      return members.every((other) => other.id === id || named.includes(`"${other.id}"`)) ? named : null
    })
    expect(line).toContain('no majority says who is right, and nobody halts')
  }
  const { code, out } = await statusCommand(cluster)
  expect(code).toBe(5)
  expect(out).not.toContain('has halted')
  for (const { id } of members) expect(out).toMatch(new RegExp(`^${id}: n\\d and n\\d made another state`, 'm'))
  await counting.add('late', 2)

  // People know which build is right, the one of the third. With a second node on it there is a majority.
  await cluster.process(first.id)?.stop()
  await cluster.startNode(first.id)
  await haltOf(cluster, second)
  await counting.add('late')
  expect((await statusOf(endpointOf(cluster, first)))?.halted).toBeNull()
  expect((await statusOf(endpointOf(cluster, second)))?.halted).toMatchObject({ code: 'DIVERGED' })
  await counting.verify()
  await comesBack(marked, second)
  expect((await statusCommand(cluster)).code).toBe(0)
})

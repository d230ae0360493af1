import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { connect } from '../../../src/client/index.ts'
import { eventually, leaderAmong, statusOf } from '../../../bench/agreement.ts'
import { clusterStatus } from '../../../src/cli/cluster/cluster-status.ts'
import { writeTallyModule } from '../../../bench/upgrade/tally-module.ts'
import { userProject } from '../../host/user-project.ts'
import { compileOnce, realCluster } from '../processes.ts'

beforeAll(compileOnce)

const OTHER = `
import { command, defineMachine, table } from 'holdfast'
import { z } from 'zod'
export const other = defineMachine(
  'other',
  { version: 1, state: { rows: table(z.string(), z.int()) } },
  { commands: { put: command({ input: z.string(), output: z.null() }, () => null) } },
)
`

test('a node restarted without a machine among three processes is halted, not ok and no leader, and with it again loses nothing', async () => {
  const path = join(userProject(), 'machines.js')
  writeTallyModule(path, 'old')
  const cluster = await realCluster({ machines: path })
  const { endpoints } = cluster
  const session = await connect({ endpoints, principal: 'user:a', deadlineMs: 60_000, connectDeadlineMs: 60_000 })
  const add = async (value: number): Promise<void> =>
    expect(await session.execute('tally', 'add', 'x')).toMatchObject({ kind: 'ok', value })
  for (let value = 1; value <= 8; value += 1) await add(value)

  const leader = await leaderAmong(endpoints)
  const member = cluster.members.find(({ id }) => id === leader.id)
  if (member === undefined) throw new Error('the leader is a member')
  const endpoint = endpoints[cluster.members.indexOf(member)] ?? ''
  await cluster.kill(member.id)
  writeFileSync(path, OTHER)
  await cluster.startNode(member.id)
  const halted = await eventually('a halt of the node', async () => {
    const status = await statusOf(endpoint)
    return status === null || status.halted === null ? null : status
  })
  expect(halted.halted).toMatchObject({ code: 'MACHINE_MISSING' })
  expect(halted.halted?.message).toContain('tally')
  for (let value = 9; value <= 16; value += 1) await add(value)
  const reports = await Promise.all(endpoints.map(async (each) => ({ endpoint: each, status: await statusOf(each) })))
  const status = clusterStatus(reports)
  expect(status.nodes.find(({ id }) => id === member.id)).toMatchObject({ health: 'halted', role: 'follower' })
  expect(status.leader).not.toBe(member.id)
  expect(status.differences).toContain(
    `${member.id} lacks tally 1, which is active: without it nothing is applied or answered there`,
  )

  await cluster.kill(member.id)
  writeTallyModule(path, 'old')
  await cluster.startNode(member.id)
  await add(17)
  const { commitIndex } = await leaderAmong(endpoints)
  const back = await eventually('the node has caught up', async () => {
    const now = await statusOf(endpoint)
    return now !== null && now.halted === null && now.appliedIndex >= commitIndex ? now : null
  })
  expect(back.machines).toMatchObject([{ name: 'tally', active: 1 }])
  expect(await session.query('tally', 'total', 'x')).toMatchObject({ kind: 'ok', value: 17 })
  await session.close()
})

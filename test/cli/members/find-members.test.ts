import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { freePorts } from '../../../src/cli/cluster/free-ports.ts'
import { findMembers } from '../../../src/cli/members/find-members.ts'
import { type RunningNode, startEmbedded } from '../../../src/host/index.ts'
import { userProject } from '../../host/user-project.ts'

test('who looks for the members of a cluster that has no leader yet waits for one, and says so once', async () => {
  const [port] = await freePorts(1, '127.0.0.1')
  const listen = `127.0.0.1:${port}`
  const said: string[] = []
  const starting: Promise<RunningNode>[] = []
  const told = (why: string): void => {
    said.push(why)
    starting.push(startEmbedded({ dataDirectory: join(userProject(), 'data'), listen }))
  }
  const { members } = await findMembers([listen], { quietMs: 50, waitMs: 60_000, told })
  const [node] = await Promise.all(starting)
  onTestFinished(() => node?.close())
  expect(members.map(({ id }) => id)).toEqual(['n1'])
  expect(said).toEqual([expect.stringContaining('no node answered as leader')])
})

test('it ends where nobody leads for so long, without a word where it was to wait no longer', async () => {
  const [port] = await freePorts(1, '127.0.0.1')
  const said: string[] = []
  const looking = findMembers([`127.0.0.1:${port}`], { quietMs: 50, waitMs: 50, told: (why) => void said.push(why) })
  await expect(looking).rejects.toMatchObject({ code: 'NO_LEADER' })
  expect(said).toEqual([])
})

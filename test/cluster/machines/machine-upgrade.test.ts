import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { eventually, leaderOf } from '../../../bench/agreement.ts'
import { activeVersions, restartOn, upgradeAll, versionEverywhere } from '../../../bench/upgrade/rolling-upgrade.ts'
import { TallyLoad } from '../../../bench/upgrade/tally-load.ts'
import { writeTallyModule } from '../../../bench/upgrade/tally-module.ts'
import { userProject } from '../../host/user-project.ts'
import { compileOnce, realCluster } from '../processes.ts'

beforeAll(compileOnce)

test('a machine is upgraded node by node under load, there and back and there again, and no client hears of it', async () => {
  const path = join(userProject(), 'machines.js')
  writeTallyModule(path, 'old')
  const cluster = await realCluster({ machines: path })
  const load = await TallyLoad.open({ endpoints: cluster.endpoints, sessions: 4, perSecond: 40 })
  onTestFinished(() => load.stop())
  load.start()

  // Mixed: two of three have the new version, and the log stays at the old one.
  for (const member of cluster.members.slice(0, 2)) await restartOn(cluster, member, { path, build: 'new' })
  const heard = async (): Promise<readonly string[]> =>
    (await leaderOf(cluster)).peerBuilds.flatMap(({ id, machines }) =>
      machines.some(({ versions }) => versions.some(({ version }) => version === 2)) ? [id] : [],
    )
  await eventually('a leader that has heard of the new version', async () => ((await heard()).length > 0 ? true : null))
  expect(await activeVersions(cluster)).toEqual([1, 1, 1])

  // Back: all nodes are stopped, and the old build starts on what the mixed ones have written.
  const before = load.acknowledged
  await cluster.stop()
  writeTallyModule(path, 'old')
  await Promise.all(cluster.members.map(({ id }) => cluster.startNode(id)))
  await eventually('answers of the old build', async () => (load.acknowledged > before ? true : null))
  expect(await activeVersions(cluster)).toEqual([1, 1, 1])
  expect(load.counts).toMatchObject({ errors: {}, bySecond: 0 })

  // All new: the log switches by itself.
  await upgradeAll(cluster, path)
  await versionEverywhere(cluster, 2)
  await eventually('answers of the new version', async () => (load.counts.bySecond > 0 ? true : null))
  await load.stop()
  expect(load.counts.errors).toEqual({})
  expect(load.acknowledged).toBe(load.counts.commands)
  expect(await load.mistakes()).toEqual([])
  await load.close()
})

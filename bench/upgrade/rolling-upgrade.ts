import type { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { eventually, leaderOf, statusOf } from '../agreement.ts'
import { writeTallyModule } from './tally-module.ts'

type Member = LocalCluster['members'][number]

/** Stops one node in order (SIGTERM), and starts it on this build; it has applied what was committed when it was back. */
export async function restartOn(
  cluster: LocalCluster,
  member: Member,
  on: { path: string; build: 'old' | 'new' },
): Promise<void> {
  await cluster.process(member.id)?.stop()
  writeTallyModule(on.path, on.build)
  await cluster.startNode(member.id)
  const endpoint = cluster.endpoints[cluster.members.indexOf(member)] ?? ''
  const { commitIndex } = await leaderOf(cluster)
  await eventually(`${member.id} has caught up`, async () => {
    const status = await statusOf(endpoint)
    return status !== null && status.appliedIndex >= commitIndex ? status : null
  })
}

/** Every node in turn. */
export async function upgradeAll(
  cluster: LocalCluster,
  path: string,
  said: (line: string) => void = () => undefined,
): Promise<void> {
  for (const member of cluster.members) {
    await restartOn(cluster, member, { path, build: 'new' })
    said(`${member.id} runs the new build`)
  }
}

/** Resolves when this version of tally is active on every node. */
export async function versionEverywhere(cluster: LocalCluster, version: number): Promise<void> {
  await eventually(`version ${version} of tally on every node`, async () => {
    const active = await activeVersions(cluster)
    return active.length === cluster.members.length && active.every((each) => each === version) ? active : null
  })
}

/** The version of tally that is active at each node that answers. */
export async function activeVersions(cluster: LocalCluster): Promise<number[]> {
  const statuses = await Promise.all(cluster.endpoints.map(statusOf))
  return statuses.flatMap((status) => status?.machines.find(({ name }) => name === 'tally')?.active ?? [])
}

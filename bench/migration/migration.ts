import { mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { printJson, say } from '../../src/cli/terminal/output.ts'
import { agreement, eventually, leaderOf, statusOf } from '../agreement.ts'
import { inScratch, whileStarted } from '../scratch.ts'
import { writeChartModule } from './chart-module.ts'
import { fill } from './fill.ts'
import { Visitor } from './visitor.ts'

export interface MigrationFlags {
  readonly json: boolean
  readonly instances: number
}

/** Longest slice of a node's own work that is wanted, ms of its thread's processor time. */
const SLICE_MS_MAX = 10

const METERED = z.object({
  turns: z.number(),
  longestMs: z.number(),
  over5: z.number(),
  over10: z.number(),
  longestCollectionMs: z.number(),
  longestWithoutMs: z.number(),
  longestWithScavengeMs: z.number(),
  longestWithMarkingMs: z.number(),
  over5Without: z.number(),
  workMs: z.number(),
  migratedMs: z.number(),
  rssBytes: z.number(),
  rssBeforeBytes: z.number(),
  heapBytes: z.number(),
  heapBeforeBytes: z.number(),
  delayP99Ms: z.number(),
  delayMaxMs: z.number(),
})
type Metered = z.infer<typeof METERED>

/**
 * A new chart for many running XState instances, as one entry of the log: three processes have made them under version 1 and
 * are started again with a module of both versions. True when all have the same state afterwards, nobody else was elected,
 * queries were answered all the time, and no turn of a loop took too much of the processor.
 */
export async function migration(flags: MigrationFlags): Promise<boolean> {
  return inScratch(async (directory, ended) => {
    const path = join(directory, 'machines.mjs')
    const meters = join(directory, 'meters')
    mkdirSync(meters)
    writeChartModule(path, 'old')
    const environment = { BENCH_METER: meters }
    const start = { nodes: 3, directory: join(directory, 'cluster'), machines: path, environment, signal: ended }
    return whileStarted(await LocalCluster.start(start), ended, (cluster) =>
      onCluster(cluster, { path, meters, ...flags }),
    )
  })
}

async function onCluster(
  cluster: LocalCluster,
  { path, meters, json, instances }: MigrationFlags & { readonly path: string; readonly meters: string },
): Promise<boolean> {
  await fill(cluster.endpoints, instances)
  const filled = await agreement(cluster.endpoints)
  say(`${instances} instances, each with a timer; entry ${filled.index}`)
  await Promise.all(cluster.members.map(({ id }) => cluster.process(id)?.stop()))
  writeChartModule(path, 'new')
  await Promise.all(cluster.members.map(({ id }) => cluster.startNode(id)))
  const visitor = await Visitor.open(cluster.endpoints)
  visitor.begin()
  const before = await leaderOf(cluster)
  await eventually('version 2 on every node', async () => {
    const statuses = await Promise.all(cluster.endpoints.map(statusOf))
    const active = statuses.map((status) => status?.machines.find(({ name }) => name === 'order')?.active ?? 0)
    return active.every((version) => version === 2) ? active : null
  })
  const visited = await visitor.end()
  const after = await leaderOf(cluster)
  const nodes = await metersIn(meters, cluster.members.length)
  const agreed = await agreement(cluster.endpoints, filled.index + 1)
  const worst = (of: (node: Metered) => number): number => Math.max(...nodes.map(of))
  const megabytes = (bytes: number): number => Math.round(bytes / 1e6)
  const result = {
    instances,
    seconds: Math.round(worst((node) => node.migratedMs) / 100) / 10,
    longestSliceMs: round(worst((node) => node.longestMs)),
    slicesOver5Ms: worst((node) => node.over5),
    slicesOver10Ms: worst((node) => node.over10),
    longestWithoutCollectionMs: round(worst((node) => node.longestWithoutMs)),
    longestWithScavengeMs: round(worst((node) => node.longestWithScavengeMs)),
    longestWithMarkingMs: round(worst((node) => node.longestWithMarkingMs)),
    slicesOver5MsWithoutCollection: worst((node) => node.over5Without),
    longestCollectionMs: round(worst((node) => node.longestCollectionMs)),
    slices: worst((node) => node.turns),
    loopDelayP99Ms: round(worst((node) => node.delayP99Ms)),
    loopDelayMaxMs: round(worst((node) => node.delayMaxMs)),
    hashesEqual: true,
    sameLeader: before.id === after.id && before.term === after.term,
    ...visited,
    rssPeakMb: megabytes(worst((node) => node.rssBytes)),
    rssBeforeMb: megabytes(worst((node) => node.rssBeforeBytes)),
    bytesPerInstance: Math.round(worst((node) => node.heapBytes - node.heapBeforeBytes) / instances),
    index: agreed.index,
  }
  if (json) printJson({ ...result, load: Math.round((loadavg()[0] ?? 0) * 10) / 10 })
  else
    say(
      Object.entries(result)
        .map(([name, value]) => `${name} ${value}`)
        .join(', '),
    )
  return result.sameLeader && visited.queriesFailed === 0 && result.longestSliceMs <= SLICE_MS_MAX
}

/** What each node's meter has written, once all have. */
function metersIn(directory: string, count: number): Promise<Metered[]> {
  return eventually('what the nodes have measured', async () => {
    const files = readdirSync(directory).filter((name) => name.endsWith('.json'))
    if (files.length < count) return null
    return files.map((name) => METERED.parse(JSON.parse(readFileSync(join(directory, name), 'utf8'))))
  })
}

const round = (ms: number): number => Math.round(ms * 100) / 100

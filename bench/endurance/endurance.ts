import { loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { formatHostPort } from '../../src/base/host-port.ts'
import type { Member } from '../../src/cli/cluster/address.ts'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { printJson, say, withCommas } from '../../src/cli/terminal/output.ts'
import { dialGrpc, nodeEnvironment } from '../../src/client/index.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import { agreement, leaderOf, statusOf } from '../agreement.ts'
import { registerLanes } from '../register-lanes.ts'
import { inScratch, whileStarted } from '../scratch.ts'
import { NodeSizes } from './node-sizes.ts'
import { WriteLoad } from './write-load.ts'

export interface EnduranceFlags {
  readonly json: boolean
  /** Register writes to acknowledge, an entry each. */
  readonly entries: number
  /** Sessions with one write in flight each. */
  readonly inFlight: number
  /** Record bytes of log between two snapshots, as the limit `snapshotBytes`. */
  readonly logCap: number
}

/** What must hold. */
const DISK_CAPS_MAX = 4
const RSS_GROWTH_MAX = 1.1
const P99_RATIO_MAX = 2
/** The follower stops at a tenth of the entries and starts at half of them. */
const STOPPED_AT = 0.1
const STARTED_AT = 0.5
/** Memory is looked at from half of the first tenth up to it, and over the last tenth. */
const FIRST = { from: 0.05, to: 0.1 }
const LAST = 0.9
const LOOK_AGAIN_MS = 100
/** Longer than a follower may need: the load goes on as long as it catches up. */
const CATCH_UP_MS_MAX = 900_000

interface Absence {
  readonly id: string
  /** From its start to the moment when it had applied what was committed a moment before; null: it never did. */
  readonly caughtUpMs: number | null
  readonly entriesBehind: number
  /** Of writes, ms: before it was stopped, while it was away, and while it caught up. */
  readonly healthyP99Ms: number
  readonly awayP99Ms: number
  readonly catchUpP99Ms: number
}

/**
 * So many entries through three nodes: what the log, and memory, come to, and what a follower that was away costs those who
 * write while it catches up. True when the bounds hold and no write failed.
 */
export async function endurance(flags: EnduranceFlags): Promise<boolean> {
  return inScratch(async (directory, ended) => {
    const snapshots = new SnapshotCounts()
    const cluster = await LocalCluster.start({
      nodes: 3,
      directory: join(directory, 'cluster'),
      environment: { HOLDFAST_LIMITS: `snapshotBytes=${flags.logCap}`, HOLDFAST_LOG_LEVEL: 'info' },
      onLine: snapshots.hear,
      signal: ended,
    })
    return whileStarted(cluster, ended, () => onCluster(cluster, snapshots, flags))
  })
}

/** Snapshots that the nodes say they have written, and installed; the rest of their log is told only where it warns. */
class SnapshotCounts {
  written = 0
  /** Of another member's, by the node that pulled them. */
  readonly installed: string[] = []

  readonly hear = (id: string, line: string): void => {
    if (line.includes('"event":"snapshotWritten"')) this.written += 1
    else if (line.includes('"event":"snapshotInstalled"')) this.installed.push(id)
    else if (!/"level":"info"|"event":"diskSlow"/.test(line)) say(`[${id}] ${line}`)
  }
}

async function onCluster(cluster: LocalCluster, snapshots: SnapshotCounts, flags: EnduranceFlags): Promise<boolean> {
  const { entries, inFlight } = flags
  await leaderOf(cluster)
  const hub = new MultiSession({ environment: nodeEnvironment(dialGrpc), endpoints: cluster.endpoints })
  const lanes = await registerLanes(hub, inFlight)
  const load = new WriteLoad(lanes)
  const sizes = new NodeSizes(cluster, () => load.acknowledged)
  try {
    const begunAt = performance.now()
    load.start()
    await load.reached(Math.ceil(entries * FIRST.from))
    load.take()
    await load.reached(Math.ceil(entries * STOPPED_AT))
    const absence = await oneAway(cluster, load, entries)
    await load.reached(entries)
    const seconds = (performance.now() - begunAt) / 1000
    await load.end()
    await sizes.end()
    await lanes.close()
    const { index } = await agreement(cluster.endpoints)
    return report(flags, { cluster, snapshots, load, sizes, absence, seconds, index })
  } finally {
    sizes.stop()
    hub.close()
  }
}

/** A follower is stopped, the others go on without it, and it catches up under the same load. */
async function oneAway(cluster: LocalCluster, load: WriteLoad, entries: number): Promise<Absence> {
  const healthyP99Ms = load.take().percentileMs(99)
  const member = await aFollower(cluster)
  await cluster.process(member.id)?.stop()
  const stoppedAt = load.acknowledged
  say(`${member.id} stopped after ${withCommas(stoppedAt)} writes`)
  load.take()
  await load.reached(Math.ceil(entries * STARTED_AT))
  const awayP99Ms = load.take().percentileMs(99)
  const entriesBehind = load.acknowledged - stoppedAt
  say(`${member.id} starts, ${withCommas(entriesBehind)} writes behind; p99 without it ${awayP99Ms} ms`)
  const begunAt = performance.now()
  await cluster.startNode(member.id)
  const caughtUp = await catchesUp(cluster, member)
  const caughtUpMs = caughtUp ? Math.round(performance.now() - begunAt) : null
  const catchUpP99Ms = load.take().percentileMs(99)
  say(`${member.id} ${caughtUp ? 'has caught up' : 'did not catch up'}; p99 meanwhile ${catchUpP99Ms} ms`)
  return { id: member.id, caughtUpMs, entriesBehind, healthyP99Ms, awayP99Ms, catchUpP99Ms }
}

async function aFollower(cluster: LocalCluster): Promise<Member> {
  const { id } = await leaderOf(cluster)
  const follower = cluster.members.find((member) => member.id !== id)
  if (follower === undefined) throw new Error('a cluster of three has a follower')
  return follower
}

/** True once the member has applied what was known to be committed a look before; false when it never does. */
async function catchesUp(cluster: LocalCluster, member: Member): Promise<boolean> {
  const endpoint = formatHostPort(member.address)
  const end = performance.now() + CATCH_UP_MS_MAX
  while (performance.now() < end) {
    const { commitIndex } = await leaderOf(cluster)
    await pause(LOOK_AGAIN_MS)
    const status = await statusOf(endpoint)
    if (status !== null && status.appliedIndex >= commitIndex) return true
  }
  return false
}

interface Measured {
  readonly cluster: LocalCluster
  readonly snapshots: SnapshotCounts
  readonly load: WriteLoad
  readonly sizes: NodeSizes
  readonly absence: Absence
  readonly seconds: number
  /** Last index that all nodes have applied. */
  readonly index: number
}

function report(flags: EnduranceFlags, measured: Measured): boolean {
  const { snapshots, load, sizes, absence, seconds, index } = measured
  const { diskBytesMax, stateBytes, rssBytesMax } = sizes
  const diskBytesBound = DISK_CAPS_MAX * flags.logCap + stateBytes
  const rssGrowth = rssGrowthOf(flags, measured)
  const catchUpP99Ratio = rounded(absence.catchUpP99Ms / absence.awayP99Ms)
  const ok =
    load.failures === 0 &&
    diskBytesMax <= diskBytesBound &&
    (rssGrowth === null || rssGrowth <= RSS_GROWTH_MAX) &&
    absence.caughtUpMs !== null &&
    catchUpP99Ratio <= P99_RATIO_MAX
  const result = {
    entries: index,
    diskBytesMax,
    diskBytesBound,
    stateBytes,
    rssBytesMax,
    rssGrowth,
    catchUpP99Ratio,
    ...absence,
    pulledSnapshots: snapshots.installed.length,
    snapshotsWritten: snapshots.written,
    logCap: flags.logCap,
    writesPerSecond: Math.round(load.acknowledged / seconds),
    failures: load.failures,
    ok,
    load: rounded(loadavg()[0] ?? 0),
  }
  if (flags.json) printJson(result)
  else say(JSON.stringify(result, null, 2))
  return ok
}

/** The most that a node which ran all the time grew by; null where the system does not tell, or too little was seen. */
function rssGrowthOf({ entries }: EnduranceFlags, { cluster, sizes, absence }: Measured): number | null {
  const growths = cluster.members.flatMap(({ id }) => {
    const first = sizes.rssOf(id, entries * FIRST.from, entries * FIRST.to)
    const last = sizes.rssOf(id, entries * LAST, entries)
    return id === absence.id || first === null || last === null ? [] : [last / first]
  })
  return growths.length === 0 ? null : rounded(Math.max(...growths))
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}

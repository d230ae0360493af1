import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { formatHostPort } from '../../src/base/host-port.ts'
import type { Member } from '../../src/cli/cluster/address.ts'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { printJson, say, withCommas } from '../../src/cli/terminal/output.ts'
import { leaderOf, statusOf } from '../agreement.ts'
import { type Floor, measureFloor } from '../floor.ts'
import { fillRegisters } from '../load/fill-registers.ts'
import { machineFacts } from '../load/machine-facts.ts'
import { OpenLoop, type OpenLoopReport } from '../load/open-loop.ts'
import { profiling } from '../load/profiling.ts'
import { type Spread, spread } from '../peers/spread.ts'
import { inScratch, whileStarted } from '../scratch.ts'
import { SnapshotLines } from '../snapshot/snapshot-lines.ts'
import { loopbackBytesPerSecond } from './loopback-copy.ts'

export interface CatchUpFlags {
  readonly json: boolean
  /** Values of the state that a follower lacks, MiB. */
  readonly megabytes: number
  /** Bytes of each of them, a row each. */
  readonly valueBytes: number
  /** How often a follower is stopped, falls behind and pulls. */
  readonly runs: number
  /** Length of the time without a pull, which that of the pull is measured beside. */
  readonly seconds: number
  /** Writes a second beside it, of an open loop. */
  readonly rate: number
  /** Directory for one CPU profile per node; null for none. Profiling slows the nodes down. */
  readonly cpuProf: string | null
}

const MIB = 1024 * 1024
/** Of log between two snapshots at most; less where the state is small, so that the log behind the follower is gone. */
const INTERVAL_BYTES_MAX = 64 * MIB
const INTERVALS_PER_STATE = 8
const BOUNDS = { ratioToLoopback: 0.5, writeP99Ratio: 2 } as const
const LOOK_AGAIN_MS = 20

/** One pull, and the same bytes over a socket from a file to a file. */
interface Run {
  /** Values alone: keys and what the rows are packed in come on top. */
  readonly bytesPerSecond: number
  readonly pullMs: number
  /** From the start of the follower's process until it had applied what was committed then. */
  readonly caughtUpMs: number
  readonly loopbackBytesPerSecond: number
  readonly without: OpenLoopReport
  readonly with: OpenLoopReport
}

/**
 * A follower that was away so long that the log behind it is gone pulls the state from the leader while an open loop writes:
 * its rate beside what moving as many bytes over a loopback socket makes in the same run, and the p99 of writes with the pull
 * beside that without. True when the bounds hold.
 */
export async function catchUp(flags: CatchUpFlags): Promise<boolean> {
  return inScratch(async (directory, ended) => {
    const floor = await measureFloor(directory)
    const lines = new SnapshotLines()
    const interval = Math.min(
      INTERVAL_BYTES_MAX,
      Math.max(MIB, Math.floor((flags.megabytes * MIB) / INTERVALS_PER_STATE)),
    )
    const cluster = await LocalCluster.start({
      nodes: 3,
      directory: join(directory, 'cluster'),
      environment: { HOLDFAST_LIMITS: `snapshotBytes=${interval}`, HOLDFAST_LOG_LEVEL: 'info' },
      onLine: lines.hear,
      nodeArguments: (id) => profiling(flags.cpuProf, id),
      signal: ended,
    })
    return whileStarted(cluster, ended, async () => {
      const runs: Run[] = []
      for (let run = 0; run < flags.runs; run += 1) {
        const pulled = await pullOnce(cluster, lines, { ...flags, mark: String.fromCharCode(97 + (run % 26)) })
        const loopback = await loopbackBytesPerSecond(directory, flags.megabytes * MIB)
        runs.push(said({ ...pulled, loopbackBytesPerSecond: loopback }, flags))
      }
      return report(runs, floor, flags)
    })
  })
}

async function pullOnce(
  cluster: LocalCluster,
  lines: SnapshotLines,
  { megabytes, valueBytes, seconds, rate, mark }: CatchUpFlags & { readonly mark: string },
): Promise<Omit<Run, 'loopbackBytesPerSecond'>> {
  const follower = await aFollower(cluster)
  await cluster.process(follower.id)?.stop()
  const count = Math.ceil((megabytes * MIB) / valueBytes)
  const { perSecond } = await fillRegisters(cluster.endpoints, { count, valueBytes, mark, inFlight: 256 })
  say(
    `${withCommas(count)} rows of ${withCommas(valueBytes)} bytes, written at ${withCommas(perSecond)}/s without ${follower.id}`,
  )
  const load = await OpenLoop.start(cluster.endpoints)
  try {
    await load.begin(rate)
    await pause(seconds * 250)
    await load.take()
    await pause(seconds * 1000)
    const without = await load.take()
    const installed = lines.next(follower.id, 'snapshotInstalled', count)
    const begunAt = performance.now()
    await cluster.startNode(follower.id)
    const { durationMs } = await installed
    const during = await load.take()
    const caughtUpMs = await caughtUp(cluster, follower, begunAt)
    const rest = await load.rest()
    return {
      bytesPerSecond: Math.round((count * valueBytes) / (durationMs / 1000)),
      pullMs: Math.round(durationMs),
      caughtUpMs,
      without,
      with: { ...during, failures: during.failures + rest.failures },
    }
  } finally {
    await load.stop()
  }
}

async function aFollower(cluster: LocalCluster): Promise<Member> {
  const { id } = await leaderOf(cluster)
  const follower = cluster.members.find((member) => member.id !== id)
  if (follower === undefined) throw new Error('a cluster of three has a follower')
  return follower
}

async function caughtUp(cluster: LocalCluster, { address }: Member, begunAt: number): Promise<number> {
  const { commitIndex } = await leaderOf(cluster)
  for (;;) {
    const status = await statusOf(formatHostPort(address))
    if (status !== null && status.appliedIndex >= commitIndex) return Math.round(performance.now() - begunAt)
    await pause(LOOK_AGAIN_MS)
  }
}

function said(run: Run, { megabytes }: CatchUpFlags): Run {
  const { pullMs, bytesPerSecond, loopbackBytesPerSecond: loopback, without } = run
  say(
    `${megabytes} MiB in ${withCommas(pullMs)} ms: ${megabytesOf(bytesPerSecond)} MiB/s, over a socket ${megabytesOf(loopback)}; ` +
      `p99 of writes ${without.p99Ms} → ${run.with.p99Ms} ms`,
  )
  return run
}

function report(runs: readonly Run[], floor: Floor, flags: CatchUpFlags): boolean {
  const spreadOf = (of: (run: Run) => number): Spread => spread(runs.map((run) => Math.round(of(run) * 100) / 100))
  const failures = runs.reduce((sum, run) => sum + run.without.failures + run.with.failures, 0)
  const { megabytes, valueBytes, rate } = flags
  const result = {
    ...{ megabytes, valueBytes, rate },
    pullMs: spreadOf((run) => run.pullMs),
    caughtUpMs: spreadOf((run) => run.caughtUpMs),
    mibPerSecond: spreadOf((run) => megabytesOf(run.bytesPerSecond)),
    loopbackMibPerSecond: spreadOf((run) => megabytesOf(run.loopbackBytesPerSecond)),
    ratioToLoopback: spreadOf((run) => run.bytesPerSecond / run.loopbackBytesPerSecond),
    writeP99Ms: { without: spreadOf((run) => run.without.p99Ms), with: spreadOf((run) => run.with.p99Ms) },
    writeP99Ratio: spreadOf((run) => run.with.p99Ms / run.without.p99Ms),
    failures,
  }
  const ok =
    failures === 0 &&
    result.ratioToLoopback.median >= BOUNDS.ratioToLoopback &&
    result.writeP99Ratio.median <= BOUNDS.writeP99Ratio
  const told = { ...result, bounds: BOUNDS, ok, floor, machine: machineFacts() }
  if (flags.json) printJson(told)
  else say(JSON.stringify(told, null, 2))
  return ok
}

const megabytesOf = (bytes: number): number => Math.round((bytes / MIB) * 10) / 10

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { printJson, say } from '../../src/cli/terminal/output.ts'
import { leaderOf } from '../agreement.ts'
import { processMicros } from '../cpu.ts'
import { type Floor, measureFloor } from '../floor.ts'
import { machineFacts } from '../load/machine-facts.ts'
import { type Spread, spread } from '../peers/spread.ts'
import { inScratch, whileStarted } from '../scratch.ts'
import { measureRowBytes, type RowBytes } from './row-bytes.ts'

export interface FootprintFlags {
  readonly json: boolean
  /** Starts of a node without any state. */
  readonly runs: number
  /** How long idle nodes are looked at. */
  readonly seconds: number
}

const MIB = 1024 * 1024
const BOUNDS = { idleRssMib: 120, readyMs: 1000, idleCpuPercent: 1 } as const
/** A node that has just started is not idle yet. */
const SETTLED_MS = 3000

interface Idle {
  /** Null where the system does not tell. */
  readonly rssMib: Spread | null
  /** Of one processor. */
  readonly leaderPercent: number
  readonly followerPercent: Spread
}

/**
 * What a node takes that does nothing: its memory, the time from its start to its first line, its share of a processor; and the
 * bytes of a session, a response and a request in a snapshot. True when the bounds hold.
 */
export async function footprint(flags: FootprintFlags): Promise<boolean> {
  return inScratch(async (directory, ended) => {
    const floor = await measureFloor(directory)
    const readyMs: number[] = []
    for (let run = 0; run < flags.runs; run += 1) {
      const begunAt = performance.now()
      const alone = await LocalCluster.start({ nodes: 1, directory: join(directory, `start-${run}`), signal: ended })
      readyMs.push(Math.round(performance.now() - begunAt))
      await alone.stop()
    }
    const start = { nodes: 3, directory: join(directory, 'cluster'), signal: ended }
    const idle = await whileStarted(await LocalCluster.start(start), ended, (cluster) => idleOf(cluster, flags.seconds))
    return report({ readyMs: spread(readyMs), idle, rowBytes: measureRowBytes(), floor }, flags)
  })
}

async function idleOf(cluster: LocalCluster, seconds: number): Promise<Idle> {
  await leaderOf(cluster)
  await pause(SETTLED_MS)
  const { id: leading } = await leaderOf(cluster)
  const pids = cluster.members.flatMap(({ id }) => {
    const pid = cluster.process(id)?.pid
    return pid === undefined ? [] : [{ id, pid }]
  })
  const before = pids.map(({ pid }) => processMicros(pid))
  const begunAt = performance.now()
  await pause(seconds * 1000)
  const elapsed = (performance.now() - begunAt) * 1000
  const shares = pids.map(({ id, pid }, at) => {
    const percent = ((processMicros(pid) - (before[at] ?? 0)) / elapsed) * 100
    return { id, percent: Math.round(percent * 10) / 10 }
  })
  const rss = pids.flatMap(({ pid }) => rssOf(pid) ?? [])
  return {
    rssMib: rss.length === 0 ? null : spread(rss.map((bytes) => Math.round(bytes / MIB))),
    leaderPercent: shares.find(({ id }) => id === leading)?.percent ?? Number.NaN,
    followerPercent: spread(shares.filter(({ id }) => id !== leading).map(({ percent }) => percent)),
  }
}

/** Linux alone has /proc. */
function rssOf(pid: number): number | null {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kilobytes === undefined ? null : Number(kilobytes) * 1024
  } catch {
    return null
  }
}

interface Results {
  readonly readyMs: Spread
  readonly idle: Idle
  readonly rowBytes: RowBytes
  readonly floor: Floor
}

function report({ readyMs, idle, rowBytes, floor }: Results, { json }: FootprintFlags): boolean {
  const { rssMib, leaderPercent, followerPercent } = idle
  const ok =
    readyMs.median <= BOUNDS.readyMs &&
    (rssMib?.max ?? 0) <= BOUNDS.idleRssMib &&
    Math.max(leaderPercent, followerPercent.max) <= BOUNDS.idleCpuPercent
  const result = {
    readyMs,
    ...{ idleRssMib: rssMib, leaderPercent, followerPercent },
    rowBytes,
    ...{ bounds: BOUNDS, ok, floor, machine: machineFacts() },
  }
  if (json) printJson(result)
  else say(JSON.stringify(result, null, 2))
  return ok
}

import { join } from 'node:path'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { printJson, say, withCommas } from '../../src/cli/terminal/output.ts'
import { leaderOf } from '../agreement.ts'
import { type Floor, measureFloor } from '../floor.ts'
import { fillRegisters } from '../load/fill-registers.ts'
import { machineFacts } from '../load/machine-facts.ts'
import { OpenLoop, type OpenLoopReport } from '../load/open-loop.ts'
import { profiling } from '../load/profiling.ts'
import { type Spread, spread } from '../peers/spread.ts'
import { inScratch, whileStarted } from '../scratch.ts'
import { type Turns, TurnMeters } from '../turns/turn-meters.ts'
import { AppendTimes } from './append-times.ts'
import { beginSnapshot, SNAPSHOTS_ON_REQUEST } from './boundaries.ts'
import { SnapshotLines } from './snapshot-lines.ts'

export interface SnapshotFlags {
  readonly json: boolean
  /** Dirty rows of each snapshot. */
  readonly rows: number
  /** How often a time without a snapshot and one with it are measured, in turn. */
  readonly runs: number
  /** Length of the time without it. */
  readonly seconds: number
  /** Writes a second beside it, of an open loop. */
  readonly rate: number
  /** Directory for one CPU profile per node; null for none. Profiling slows the nodes down. */
  readonly cpuProf: string | null
}

const VALUE_BYTES = 128
/** Bytes of log that a write of the fill takes at least. */
const WRITE_BYTES = VALUE_BYTES
const BOUNDS = { longestWorkMs: 10, appendP99Ratio: 1.5, writeP99Ratio: 2 } as const

/** A time without a snapshot, and the time of one. */
interface Run {
  readonly without: OpenLoopReport
  readonly with: OpenLoopReport
  /** Of the leader's log: the write of a batch and its fdatasync. */
  readonly appendP99Ms: { readonly without: number; readonly with: number }
  readonly turns: { readonly without: readonly Turns[]; readonly with: readonly Turns[] }
  /** Until the last of the nodes had it. */
  readonly snapshotMs: number
  readonly rows: number
}

/**
 * Snapshots of so many changed rows on three nodes while an open loop writes: the longest slice of a node's own work, how late
 * its loop was, and the p99 of appends and of writes, in turn with times without one. True when the bounds hold.
 */
export async function snapshot(flags: SnapshotFlags): Promise<boolean> {
  return inScratch(async (directory, ended) => {
    const floor = await measureFloor(directory)
    const [meters, lines] = [new TurnMeters(), new SnapshotLines()]
    const cluster = await LocalCluster.start({
      nodes: 3,
      directory: join(directory, 'cluster'),
      environment: SNAPSHOTS_ON_REQUEST,
      nodeArguments: (id) => [...meters.nodeArguments(), ...profiling(flags.cpuProf, id)],
      onLine: (id, line) => {
        if (!meters.onLine(id, line)) lines.hear(id, line)
      },
      signal: ended,
    })
    return whileStarted(cluster, ended, async () => {
      await leaderOf(cluster)
      return whileStarted(await OpenLoop.start(cluster.endpoints), ended, async (load) => {
        const runs: Run[] = []
        for (let run = 0; run < flags.runs; run += 1)
          runs.push(said(await measureRun({ cluster, load, meters, lines }, flags, run)))
        return report(runs, floor, flags)
      })
    })
  })
}

interface Parts {
  readonly cluster: LocalCluster
  readonly load: OpenLoop
  readonly meters: TurnMeters
  readonly lines: SnapshotLines
}

async function measureRun({ cluster, load, meters, lines }: Parts, flags: SnapshotFlags, run: number): Promise<Run> {
  const { endpoints, members } = cluster
  const mark = String.fromCharCode('a'.charCodeAt(0) + (run % 26))
  const { perSecond } = await fillRegisters(endpoints, { count: flags.rows, valueBytes: VALUE_BYTES, mark })
  say(`${withCommas(flags.rows)} rows are dirty, written at ${withCommas(perSecond)}/s`)
  await load.begin(flags.rate)
  await pause(flags.seconds / 4)
  const appends = new AppendTimes(cluster)
  try {
    await Promise.all([load.take(), meters.take(cluster), appends.take()])
    await pause(flags.seconds)
    const [without, turnsWithout, appendWithout] = await Promise.all([
      load.take(),
      meters.take(cluster),
      appends.take(),
    ])
    const begunAt = performance.now()
    const written = members.map(({ id }) => lines.next(id, 'snapshotWritten', flags.rows))
    await beginSnapshot(endpoints, flags.rows * WRITE_BYTES)
    const rows = Math.max(...(await Promise.all(written)).map((line) => line.rows))
    const snapshotMs = Math.round(performance.now() - begunAt)
    const [during, turnsWith, appendWith] = await Promise.all([load.take(), meters.take(cluster), appends.take()])
    const rest = await load.rest()
    return {
      without,
      // What was due during the snapshot and answered behind it is not in its p99, but no failure is forgotten.
      with: { ...during, failures: during.failures + rest.failures },
      appendP99Ms: { without: appendWithout, with: appendWith },
      turns: { without: turnsWithout, with: turnsWith },
      snapshotMs,
      rows,
    }
  } finally {
    appends.stop()
  }
}

function said(run: Run): Run {
  const { snapshotMs, rows, without, appendP99Ms } = run
  say(
    `${withCommas(rows)} rows in ${withCommas(snapshotMs)} ms: longest work ${round(longest(run.turns.with))} ms; p99 of appends ` +
      `${round(appendP99Ms.without)} → ${round(appendP99Ms.with)} ms, of writes ${without.p99Ms} → ${run.with.p99Ms} ms`,
  )
  return run
}

function report(runs: readonly Run[], floor: Floor, flags: SnapshotFlags): boolean {
  const spreadOf = (of: (run: Run) => number): Spread => spread(runs.map((run) => round(of(run))))
  const most = (turns: readonly Turns[], of: (turn: Turns) => number): number => Math.max(...turns.map(of))
  const failures = runs.reduce((sum, run) => sum + run.without.failures + run.with.failures, 0)
  const result = {
    rows: flags.rows,
    rate: flags.rate,
    snapshotMs: spreadOf((run) => run.snapshotMs),
    longestWorkMs: spreadOf((run) => longest(run.turns.with)),
    longestWorkWithoutSnapshotMs: spreadOf((run) => longest(run.turns.without)),
    longestWithoutCollectionMs: spreadOf((run) => most(run.turns.with, (turn) => turn.longestWithoutCollectionMs ?? 0)),
    slicesOver10Ms: spreadOf((run) => most(run.turns.with, (turn) => turn.over10Ms)),
    longestCollectionMs: spreadOf((run) => most(run.turns.with, (turn) => turn.longestCollectionMs)),
    loopDelayP99Ms: spreadOf((run) => most(run.turns.with, (turn) => turn.delayP99Ms)),
    loopDelayMaxMs: spreadOf((run) => most(run.turns.with, (turn) => turn.delayMaxMs)),
    appendP99Ms: { without: spreadOf((run) => run.appendP99Ms.without), with: spreadOf((run) => run.appendP99Ms.with) },
    appendP99Ratio: spreadOf((run) => run.appendP99Ms.with / run.appendP99Ms.without),
    writeP50Ms: { without: spreadOf((run) => run.without.p50Ms), with: spreadOf((run) => run.with.p50Ms) },
    writeP99Ms: { without: spreadOf((run) => run.without.p99Ms), with: spreadOf((run) => run.with.p99Ms) },
    writeP99Ratio: spreadOf((run) => run.with.p99Ms / run.without.p99Ms),
    generatorCpuShare: spreadOf((run) => run.with.cpuShare),
    rssBytesMax: Math.max(...runs.map((run) => most(run.turns.with, (turn) => turn.rssBytes))),
    failures,
  }
  const ok =
    failures === 0 &&
    result.longestWorkMs.median <= BOUNDS.longestWorkMs &&
    result.appendP99Ratio.median <= BOUNDS.appendP99Ratio &&
    result.writeP99Ratio.median <= BOUNDS.writeP99Ratio
  const told = { ...result, bounds: BOUNDS, ok, floor, machine: machineFacts() }
  if (flags.json) printJson(told)
  else say(JSON.stringify(told, null, 2))
  return ok
}

const longest = (turns: readonly Turns[]): number => Math.max(...turns.map(({ longestMs }) => longestMs ?? 0))
const round = (value: number): number => Math.round(value * 100) / 100
const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000))

import { join } from 'node:path'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { printJson, say, withCommas } from '../../src/cli/terminal/output.ts'
import { leaderOf } from '../agreement.ts'
import { type Floor, measureFloor } from '../floor.ts'
import { fillRegisters } from '../load/fill-registers.ts'
import { machineFacts } from '../load/machine-facts.ts'
import { profiling } from '../load/profiling.ts'
import { type Spread, spread } from '../peers/spread.ts'
import { inScratch, whileStarted } from '../scratch.ts'
import { openAndLeave } from '../sessions/session-load.ts'
import { beginSnapshot, SNAPSHOTS_ON_REQUEST } from '../snapshot/boundaries.ts'
import { SnapshotLines } from '../snapshot/snapshot-lines.ts'
import { restartOnce, type Restart } from './restart-once.ts'
import { callbackTail, registerTail, writesOf } from './tails.ts'

export interface RestartFlags {
  readonly json: boolean
  readonly sessions: number
  /** Bytes of log behind the snapshot, register writes. */
  readonly tailBytes: number
  /** Payment callbacks behind another snapshot; 0 leaves them out. */
  readonly callbacks: number
  /** How often the node is killed and started again, behind either tail. */
  readonly runs: number
  /** Directory for one CPU profile per node; null for none. Profiling slows the nodes down. */
  readonly cpuProf: string | null
}

const BOUNDS = { servingMs: 10_000, entriesPerSecond: 200_000, callbacksPerSecond: 20_000 } as const
/** Sessions that write, besides those that are open. */
const WRITERS = 4000
/** A node compiles what it does for a command only where it has done it before: so many writes that nobody counts. */
const FIRST_WRITES = 2000
/** Bytes of log that a session takes at least. */
const SESSION_BYTES = 100

/** Restarts behind one tail. */
interface Tail {
  readonly entries: number
  readonly restarts: readonly Restart[]
}

/**
 * A node alone with so many open sessions is killed (`kill -9`) and started again, behind a tail of register writes and behind
 * one of payment callbacks: from its start until it answers a command, and of that what the rows of its snapshot and what the
 * replay of the log took. True when the bounds hold.
 */
export async function restart(flags: RestartFlags): Promise<boolean> {
  return inScratch(async (directory, ended) => {
    const floor = await measureFloor(directory)
    const starts: number[] = []
    for (let run = 0; run < flags.runs; run += 1) starts.push(await emptyStart(join(directory, `empty-${run}`), ended))
    const emptyReadyMs = spread(starts).median
    const lines = new SnapshotLines()
    const { HOLDFAST_LIMITS: limits, ...log } = SNAPSHOTS_ON_REQUEST
    const environment = { ...log, HOLDFAST_LIMITS: `${limits},sessionsMax=${flags.sessions + WRITERS}` }
    const start = {
      ...{ nodes: 1, directory: join(directory, 'cluster'), environment, onLine: lines.hear, signal: ended },
      // The one that stays is of the last start: the others are killed.
      nodeArguments: (id: string) => profiling(flags.cpuProf, id),
    }
    return whileStarted(await LocalCluster.start(start), ended, async (cluster) => {
      await leaderOf(cluster)
      await fillRegisters(cluster.endpoints, { count: FIRST_WRITES, valueBytes: 128, mark: 'f' })
      await openAndLeave(cluster, flags.sessions)
      const registers = await measureRegisterTail(cluster, lines, flags)
      const callbacks = flags.callbacks === 0 ? null : await measureCallbackTail(cluster, lines, flags)
      return report({ registers, callbacks, emptyReadyMs, floor }, flags)
    })
  })
}

/** From the start of a node without any state until it says that it listens. */
async function emptyStart(directory: string, ended: AbortSignal): Promise<number> {
  const begunAt = performance.now()
  const cluster = await LocalCluster.start({ nodes: 1, directory, signal: ended })
  const readyMs = Math.round(performance.now() - begunAt)
  await cluster.stop()
  return readyMs
}

async function measureRegisterTail(cluster: LocalCluster, lines: SnapshotLines, flags: RestartFlags): Promise<Tail> {
  await snapshotNow(cluster, lines, flags.sessions * SESSION_BYTES)
  const writes = writesOf(flags.tailBytes)
  await registerTail(cluster, writes)
  say(`${withCommas(flags.sessions)} sessions, and ${withCommas(writes)} writes behind the snapshot`)
  return { entries: writes, restarts: await restarts(cluster, flags.runs) }
}

async function measureCallbackTail(cluster: LocalCluster, lines: SnapshotLines, flags: RestartFlags): Promise<Tail> {
  await callbackTail(cluster, flags.callbacks, () => snapshotNow(cluster, lines, flags.tailBytes))
  say(`${withCommas(flags.callbacks)} callbacks behind the snapshot`)
  return { entries: flags.callbacks, restarts: await restarts(cluster, flags.runs) }
}

async function snapshotNow(cluster: LocalCluster, lines: SnapshotLines, sinceBytes: number): Promise<void> {
  const written = Promise.all(cluster.members.map(({ id }) => lines.next(id, 'snapshotWritten')))
  await beginSnapshot(cluster.endpoints, sinceBytes)
  for (const { rows, durationMs } of await written)
    say(`a snapshot of ${withCommas(rows)} rows in ${Math.round(durationMs)} ms`)
}

async function restarts(cluster: LocalCluster, runs: number): Promise<Restart[]> {
  const done: Restart[] = []
  for (let run = 0; run < runs; run += 1) {
    const restarted = await restartOnce(cluster)
    done.push(restarted)
    const { servingMs, readyMs, replayedEntries, entriesPerSecond } = restarted
    say(
      `served after ${withCommas(servingMs)} ms: it listened after ${withCommas(readyMs)}, and replayed ` +
        `${withCommas(replayedEntries)} entries, ${withCommas(entriesPerSecond)}/s`,
    )
  }
  return done
}

interface Results {
  readonly registers: Tail
  readonly callbacks: Tail | null
  readonly emptyReadyMs: number
  readonly floor: Floor
}

function report({ registers, callbacks, emptyReadyMs, floor }: Results, flags: RestartFlags): boolean {
  const told = (tail: Tail) => ({
    entries: tail.entries,
    servingMs: spreadOf(tail, (one) => one.servingMs),
    readyMs: spreadOf(tail, (one) => one.readyMs),
    loadMs: spreadOf(tail, (one) => Math.max(0, one.readyMs - emptyReadyMs)),
    rowsPerSecond: spreadOf(tail, (one) => one.rows / (Math.max(1, one.readyMs - emptyReadyMs) / 1000)),
    replayMs: spreadOf(tail, (one) => one.replayMs),
    replayedEntries: spreadOf(tail, (one) => one.replayedEntries),
    entriesPerSecond: spreadOf(tail, (one) => one.entriesPerSecond),
  })
  const ownTail = told(registers)
  const otherTail = callbacks === null ? null : told(callbacks)
  // Beside its own entries a callback has some of its booking's.
  const callbacksPerSecond =
    callbacks === null ? null : spreadOf(callbacks, (one) => (callbacks.entries / one.replayMs) * 1000)
  const ok =
    ownTail.servingMs.median <= BOUNDS.servingMs &&
    ownTail.entriesPerSecond.median >= BOUNDS.entriesPerSecond &&
    (callbacksPerSecond?.median ?? BOUNDS.callbacksPerSecond) >= BOUNDS.callbacksPerSecond
  const { sessions, tailBytes } = flags
  const result = {
    ...{ sessions, tailBytes, emptyReadyMs, registers: ownTail, callbacks: otherTail, callbacksPerSecond },
    ...{ bounds: BOUNDS, ok, floor, machine: machineFacts() },
  }
  if (flags.json) printJson(result)
  else say(JSON.stringify(result, null, 2))
  return ok
}

function spreadOf({ restarts: done }: Tail, of: (restart: Restart) => number): Spread {
  return spread(done.map((one) => Math.round(of(one))))
}

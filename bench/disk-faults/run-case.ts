import { cpSync, existsSync, rmSync, statSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { type Case, type Outcome, WRITTEN_AT_START } from './cases.ts'
import { damage, pathsAhead, pathsOf, rotOlderSegment } from './files.ts'
import { injectedFromTheStart, Injection } from './injection.ts'
import type { ShelfCluster } from './shelf-cluster.ts'

/** Commands before the fault, under it, and after it. */
const [BEFORE, DURING, AFTER] = [30, 10, 10]
/** Enough for two segments and a snapshot, so that every file that is written at all is. */
const DURING_WRITES = 180
/** Enough for the largest segment, the first one of a start. */
const NEXT_SEGMENT_WRITES = 600
/** A node whose disk fails ends by itself; one that does not within so long after the writes goes on. */
const END_MS_MAX = 1500
const TRIES_MAX = 40
/** In the log of a node that has found damage. */
const DAMAGE_SAID = /"event":"(?:logDamaged|snapshotDamaged)"/

/** What a fault led to. */
export interface CaseResult {
  /** Null: the file was not there. */
  readonly outcome: Outcome | null
  /** Acknowledged commands that are missing, or any that was applied twice. */
  readonly wrong: readonly string[]
  /** Why the nodes do not agree afterwards; null: they do. */
  readonly apart: string | null
}

type Seat = ShelfCluster['seats'][number]

/** Makes one fault on one node of a cluster that is well, sees what becomes of it, and makes the cluster well again. */
export async function runCase(cluster: ShelfCluster, lane: number, fault: Case): Promise<CaseResult> {
  const seat = cluster.seats[cluster.seats.length === 1 ? 0 : 1]
  if (seat === undefined) throw new Error('a cluster has nodes')
  await cluster.write(lane, BEFORE)
  await haveFile(cluster, { seat, lane, fault })
  const { damage: how, file } = fault
  const byWrites = how === 'eio-write' || how === 'enospc'
  const outcome =
    byWrites && !WRITTEN_AT_START.has(file)
      ? await whileItRuns(cluster, { seat, lane, fault })
      : await atItsStart(cluster, { seat, lane, fault })
  await cluster.write(lane, AFTER)
  const apart = await cluster.agree()
  return { outcome, wrong: await cluster.wrongIn(lane), apart }
}

/** Writes until there is a file of that kind, and something in it; tables come with a start, from what the log held before. */
async function haveFile(cluster: ShelfCluster, { seat, lane, fault }: Struck): Promise<void> {
  const { file } = fault
  const wanted = file === 'table' || file === 'manifest' ? (['level-log', file] as const) : ([file] as const)
  const there = (): boolean =>
    wanted.every((kind) => pathsOf(kind, seat.data).some((path) => existsSync(path) && statSync(path).size > 0))
  if (file === 'obligation') return
  for (let tries = 0; tries < TRIES_MAX && !there(); tries += 1) {
    await cluster.write(lane, 3 * BEFORE)
    if (wanted.length === 1 || tries % 4 !== 3) continue
    await cluster.kill(seat)
    await restarted(cluster, seat)
  }
}

interface Struck {
  readonly seat: Seat
  readonly lane: number
  readonly fault: Case
}

/** The node is killed; its file is damaged, or the calls on it fail from its next start on. */
async function atItsStart(cluster: ShelfCluster, { seat, lane, fault }: Struck): Promise<Outcome | null> {
  const { file, damage: how } = fault
  await cluster.kill(seat)
  if (file === 'obligation') await oweSomething(cluster, seat, how)
  const kept = `${seat.data}.kept`
  rmSync(kept, { recursive: true, force: true })
  cpSync(seat.data, kept, { recursive: true })
  const inBytes = how === 'flip' || how === 'zero' || how === 'truncate'
  const paths = how === 'eio-read' ? pathsOf(file, seat.data) : pathsAhead(file, seat.data)
  const there = inBytes ? damage(pathsOf(file, seat.data).at(-1), how) : paths.length > 0
  if (cluster.seats.length > 1) await cluster.write(lane, DURING)
  const refusal = await cluster.startNode(seat, inBytes || !there ? [] : injectedFromTheStart(how, paths))
  let outcome: Outcome
  if (refusal === null) {
    await cluster.write(lane, DURING)
    const stopped = await stopOf(seat, 300)
    outcome = stopped ?? (seat.lines.some((line) => DAMAGE_SAID.test(line)) ? 'repairs' : 'serves')
  } else outcome = `refuses ${refusal}`
  // What it was refused for is no more: the same bytes, on a disk that is well.
  if (seat.process === null) {
    if (inBytes) {
      rmSync(seat.data, { recursive: true, force: true })
      cpSync(kept, seat.data, { recursive: true })
    }
    await restarted(cluster, seat)
  } else if (!inBytes) {
    await cluster.kill(seat)
    await restarted(cluster, seat)
  }
  rmSync(kept, { recursive: true, force: true })
  return there ? outcome : null
}

/** The calls on the file fail while the node writes. */
async function whileItRuns(cluster: ShelfCluster, { seat, lane, fault }: Struck): Promise<Outcome | null> {
  const { file, damage: how } = fault
  const paths = pathsAhead(file, seat.data)
  const { process } = seat
  if (paths.length === 0 || process === null) return null
  const injection = await Injection.into(process.pid, how, paths)
  const written = cluster.write(lane, file === 'spare-segment' ? NEXT_SEGMENT_WRITES : DURING_WRITES)
  const stopped = await stopOf(seat, END_MS_MAX, cluster.seats.length > 1 ? written : null)
  await injection.end()
  if (seat.process === null) await restarted(cluster, seat)
  await written
  return stopped ?? 'serves'
}

async function stopOf(seat: Seat, withinMs: number, after: Promise<void> | null = null): Promise<Outcome | null> {
  const { process } = seat
  if (process !== null) {
    const late = (after ?? Promise.resolve()).then(() => pause(withinMs)).then(() => null)
    const ended = await Promise.race([process.exited, late])
    if (ended === null) return null
    if (ended.code !== 74) return `stops with exit code ${ended.code ?? ended.signal}`
  }
  const line = seat.lines.findLast((text) => text.includes('"event":"stopped"'))
  return `stops ${/"code":"(\w+)"/.exec(line ?? '')?.[1] ?? 'SILENTLY'}`
}

async function restarted(cluster: ShelfCluster, seat: Seat): Promise<void> {
  const refusal = await cluster.startNode(seat)
  if (refusal !== null) throw new Error(`${seat.id} does not come back: ${refusal}: ${seat.lines.join(' ')}`)
}

/** Its log is damaged, and nobody is there to fill it: the note stays. For faults of writing, it comes with the start. */
async function oweSomething(cluster: ShelfCluster, seat: Seat, how: Case['damage']): Promise<void> {
  rotOlderSegment(seat.data)
  if (how === 'eio-write' || how === 'enospc') return
  const others = cluster.seats.filter((other) => other !== seat)
  await Promise.all(others.map((other) => cluster.kill(other)))
  const refusal = await cluster.startNode(seat)
  if (refusal !== null) throw new Error(`${seat.id} with a damaged log is refused: ${refusal}`)
  await cluster.kill(seat)
  if (!existsSync(`${seat.data}/group-0/obligation`)) throw new Error('there is no note of what it owes')
  await Promise.all(others.map((other) => cluster.startNode(other)))
}

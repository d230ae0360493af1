import { renameSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { nodeId } from '../../src/base/brand.ts'
import { Random } from '../../src/base/random.ts'
import { NodeProcess } from '../../src/cli/cluster/node-process.ts'
import { say } from '../../src/cli/terminal/output.ts'
import { readTraces } from '../../src/cli/traces/read-traces.ts'
import { checkTrace } from '../../src/trace/check-trace.ts'
import { ProbeProcess } from '../failover/probe-process.ts'
import { Clients, type ClientsStopped } from './clients/clients-process.ts'
import { referenceOf } from './clients/payment-reference.ts'
import { WORKLOADS } from './clients/steps.ts'
import { writeProofModule } from './clients/proof-module.ts'
import { type Operation, operationsOf } from './history.ts'
import type { Fault, Scene } from './nemesis/fault.ts'
import { type Schedule, type Struck, strikeAll } from './nemesis/nemesis.ts'
import { holdfastScene, type SceneOptions } from './nemesis/scene.ts'
import { activityOf } from './report/activity.ts'
import { chartOf } from './report/chart.ts'
import { figuresOf } from './report/figures.ts'
import type { StoredCell } from './report/summary.ts'
import { Watch } from './report/watch.ts'
import type { CheckerVerdict } from './verdict/check-history.ts'
import { checkPayments } from './verdict/check-payments.ts'
import { judgeHistory, type Verdict, withCheckers, withSteps } from './verdict/judge-history.ts'
import { FaultWorld } from './world/fault-world.ts'
import type { Spawn } from './world/node-seat.ts'
import type { Resources } from './world/resources.ts'
import type { MissingTools } from './world/tools.ts'

/** A cluster, its clients and the faults that are put to it one after the other. */
export interface CellOptions {
  readonly faults: readonly Fault[]
  readonly schedule: Schedule
  readonly seed: number
  readonly resources: Resources
  readonly missing: MissingTools
  readonly ended: AbortSignal
}

const NODES = 3
/** What either half of the clients does: partitions separate the halves. */
const HALVES = [
  { workloads: ['register', 'bank', 'set'], pays: false },
  { workloads: ['append', 'counter', 'requests', 'visits'], pays: true },
] as const
/** So that there are snapshots within a run, and nodes that were away are sent one. */
const LIMITS = 'snapshotBytes=1048576'
/** Purposes of streams of random numbers. */
const FAULTS = 1

/** Runs it, judges it, and leaves no process. */
export async function runCell(name: string, options: CellOptions): Promise<StoredCell> {
  const { resources, missing, ended } = options
  const machines = join(resources.directory, 'machines.mjs')
  writeProofModule(machines)
  // Not on the disks that lose their power.
  const traces = join(resources.directory, 'traces')
  const spawn = (members: string): Spawn => holdfastOn(members, machines, traces)
  const world = await FaultWorld.start(NODES, { resources, missing, spawn })
  const cell = await onWorld(world, options).finally(() => world.stop())
  ended.throwIfAborted()
  const steps = checkTrace(readTraces(traces))
  const verdict = withSteps(cell.verdict, steps)
  if (steps.violation !== null) keepTraces(traces, resources, verdict)
  return { name, ...cell, verdict, steps: steps.lines }
}

/** What was refused stays, for whoever looks for the reason. */
function keepTraces(traces: string, { directory }: Resources, { examples }: Verdict): void {
  // Not by the name of a run: those that were left over are removed.
  const kept = join(dirname(directory), `refused-${basename(directory)}`)
  renameSync(traces, kept)
  examples.push(`the steps are in ${kept}`)
}

async function onWorld(world: FaultWorld, options: CellOptions): Promise<Omit<StoredCell, 'name' | 'steps'>> {
  options.ended.throwIfAborted()
  const { resources } = options
  const { endpoints, throughClients } = world
  const beganNs = process.hrtime.bigint()
  const halves = HALVES.map((told, half) => new Clients(world, { ...told, half, beganNs, options }))
  try {
    await Promise.all(halves.map((clients) => clients.ready()))
    const probe = await ProbeProcess.start('holdfast', endpoints, throughClients[1])
    resources.noteProcess(probe.pid)
    const nodes = world.seats.map(({ place }) => place)
    const watch = new Watch(nodes, beganNs)
    const sceneOf = (scene: Omit<SceneOptions, 'world'>): Scene => holdfastScene({ world, ...scene })
    const struck = await strikes(probe, options, sceneOf).finally(() => watch.stop())
    // One after the other: the journal of the last one has what all of them did.
    const stopped: ClientsStopped[] = []
    for (const clients of halves) stopped.push(await clients.stop())
    await probe.end()
    const operations = operationsOf(halves.flatMap((clients) => clients.events()))
    const journal = stopped.at(-1)?.journal ?? null
    return {
      verdict: withCheckers(
        judgeHistory(
          operations,
          journal,
          stopped.flatMap(({ deliveries }) => deliveries),
        ),
        await paid(stopped, options),
      ),
      unserved: journal === null,
      ...judgedStrikes(struck, operations, beganNs),
      crashes: world.crashes,
      lostSessions: stopped.flatMap(({ lostSessions }) => lostSessions),
      unhandledRejections: stopped.reduce((sum, { unhandledRejections }) => sum + unhandledRejections, 0),
      counts: countsOf(operations),
      ...activityOf(operations, stopped, WORKLOADS),
      elections: watch.term,
      snapshotIndex: watch.snapshotIndex,
      probe: { acknowledged: probe.acknowledged, failed: probe.failed },
      chart: chartOf(operations, watch.seen),
    }
  } finally {
    await Promise.all(halves.map((clients) => clients.end()))
  }
}

/** The same callbacks once more, of one node to which nothing happens. */
async function paid(
  stopped: readonly ClientsStopped[],
  { resources, seed }: CellOptions,
): Promise<readonly CheckerVerdict[]> {
  const payments = stopped.flatMap((half) => half.payments ?? [])
  const rounds = Math.max(0, ...payments.map((told) => told.rounds.length))
  if (rounds === 0) return []
  const reference = await referenceOf(rounds, { directory: join(resources.directory, 'reference'), seed })
  return payments.flatMap((told) => checkPayments(told, reference))
}

/** What became of the faults of one cell. */
export interface Strikes {
  readonly all: readonly Struck[]
  readonly late: readonly string[]
}

/** Makes the faults of a cell, one after the other, on scenes of that product. */
export async function strikes(
  probe: ProbeProcess,
  { faults, schedule, seed, resources, ended }: CellOptions,
  sceneOf: (scene: Omit<SceneOptions, 'world'>) => Scene,
): Promise<Strikes> {
  const random = new Random(seed, FAULTS)
  const all: Struck[] = []
  const late: string[] = []
  await strikeAll(faults, {
    ...{ schedule, probe },
    sceneOf: (holdMs, heard) => sceneOf({ random, holdMs, resources, ended, ...heard }),
    struck: (one) => {
      all.push(one)
      const seconds = Number(one.healedNs - one.struckNs) / 1e9
      const back = one.recoveredMs === null ? 'NOT RECOVERED' : `agreed again after ${one.recoveredMs} ms`
      say(
        `${one.name}: ${seconds.toFixed(1)} s, gap ${one.gapMs ?? '(not over)'} ms, ${back}${one.said.map((line) => `; ${line}`).join('')}`,
      )
    },
    late: ({ name }) => late.push(name),
  })
  return { all, late }
}

/** What is kept of them. */
export function judgedStrikes(
  { all, late }: Strikes,
  operations: readonly Operation[],
  beganNs: bigint,
): Pick<StoredCell, 'faults' | 'late' | 'diverged' | 'unrecovered'> {
  return {
    faults: all.map((one) => figuresOf(one, operations, beganNs)),
    late,
    diverged: all.some(({ diverged }) => diverged),
    unrecovered: all.flatMap(({ name, recoveredMs }) => (recoveredMs === null ? [name] : [])),
  }
}

function holdfastOn(members: string, machines: string, traces: string): Spawn {
  return ({ id, endpoint, dataDirectory, through }, environment) =>
    NodeProcess.spawn({
      id: nodeId(id),
      address: endpoint,
      members,
      dataDirectory,
      through,
      machines,
      environment: { HOLDFAST_LIMITS: LIMITS, HOLDFAST_INSECURE: 'true', HOLDFAST_TRACE_STEPS: traces, ...environment },
    })
}

/** Operations by how they ended. */
export function countsOf(operations: readonly Operation[]): StoredCell['counts'] {
  const counts = { ok: 0, fail: 0, info: 0 }
  for (const { type } of operations) counts[type] += 1
  return counts
}

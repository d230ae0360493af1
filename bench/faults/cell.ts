import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { nodeId } from '../../src/base/brand.ts'
import { Random } from '../../src/base/random.ts'
import { NodeProcess } from '../../src/cli/cluster/node-process.ts'
import { say } from '../../src/cli/terminal/output.ts'
import { ProbeChild } from '../failover/probe-child.ts'
import { ProbeProcess } from '../failover/probe-process.ts'
import type { ClientsOptions, ClientsOrder, ClientsReport } from './clients/clients.ts'
import { writeProofModule } from './clients/proof-module.ts'
import { type HistoryEvent, type Operation, operationsOf } from './history.ts'
import type { Fault } from './nemesis/fault.ts'
import { type Schedule, type Struck, strikeAll } from './nemesis/nemesis.ts'
import { holdfastScene } from './nemesis/scene.ts'
import { type FaultFigures, figuresOf } from './report/figures.ts'
import { type Seen, Watch } from './report/watch.ts'
import { judgeHistory, type Verdict } from './verdict/judge-history.ts'
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

/** What came of it. */
export interface CellResult {
  readonly verdict: Verdict
  readonly faults: readonly FaultFigures[]
  /** Faults that had no time left. */
  readonly late: readonly string[]
  readonly crashes: readonly string[]
  readonly lostSessions: readonly string[]
  readonly unhandledRejections: number
  readonly diverged: boolean
  /** Faults after which the nodes did not agree again. */
  readonly unrecovered: readonly string[]
  readonly counts: { readonly ok: number; readonly fail: number; readonly info: number }
  readonly elections: number
  readonly snapshotIndex: number
  /** Of the open loop. */
  readonly probe: { readonly acknowledged: number; readonly failed: number }
  readonly operations: readonly Operation[]
  readonly seen: readonly Seen[]
}

const NODES = 3
const LANES_PER_WORKLOAD = 4
/** So that there are snapshots within a run, and nodes that were away are sent one. */
const LIMITS = 'snapshotBytes=1048576'
/** Purposes of streams of random numbers. */
const FAULTS = 1

/** Runs it, judges it, and leaves no process. */
export async function runCell(options: CellOptions): Promise<CellResult> {
  const { resources, missing, ended } = options
  const machines = join(resources.directory, 'machines.mjs')
  writeProofModule(machines)
  const spawn = (members: string): Spawn => holdfastOn(members, machines)
  const world = await FaultWorld.start(NODES, { resources, missing, spawn })
  try {
    ended.throwIfAborted()
    return await onWorld(world, options)
  } finally {
    await world.stop()
  }
}

async function onWorld(world: FaultWorld, options: CellOptions): Promise<CellResult> {
  const { resources, seed } = options
  const { endpoints, throughClients } = world
  const beganNs = process.hrtime.bigint()
  const history = join(resources.directory, 'history.jsonl')
  const given: ClientsOptions = {
    ...{ endpoints, seed, history, lanesPerWorkload: LANES_PER_WORKLOAD, began: String(beganNs) },
  }
  const module = join(import.meta.dirname, 'clients', 'clients.js')
  const clients = new ProbeChild<ClientsOrder, ClientsReport>(module, [JSON.stringify(given)], throughClients)
  resources.noteProcess(clients.pid)
  try {
    await clients.heard()
    const probe = await ProbeProcess.start('holdfast', endpoints, throughClients)
    resources.noteProcess(probe.pid)
    const watch = new Watch(
      world.seats.map(({ place }) => place),
      beganNs,
    )
    const struck = await strikes(world, probe, options).finally(() => watch.stop())
    const stopped = await clients.ask({ kind: 'stop' })
    await probe.end()
    await clients.end({ kind: 'end' })
    if (stopped.kind !== 'stopped') throw new Error(`the clients said ${stopped.kind} when they were told to stop`)
    const operations = operationsOf(eventsOf(history))
    return {
      verdict: judgeHistory(operations, stopped.journal),
      faults: struck.all.map((one) => figuresOf(one, operations, beganNs)),
      late: struck.late,
      crashes: world.crashes,
      lostSessions: stopped.lostSessions,
      unhandledRejections: stopped.unhandledRejections,
      diverged: struck.all.some(({ diverged }) => diverged),
      unrecovered: struck.all.flatMap(({ name, recoveredMs }) => (recoveredMs === null ? [name] : [])),
      counts: countsOf(operations),
      elections: watch.term,
      snapshotIndex: watch.snapshotIndex,
      probe: { acknowledged: probe.acknowledged, failed: probe.failed },
      ...{ operations, seen: watch.seen },
    }
  } finally {
    await clients.end({ kind: 'end' })
  }
}

async function strikes(
  world: FaultWorld,
  probe: ProbeProcess,
  { faults, schedule, seed, resources, ended }: CellOptions,
): Promise<{ readonly all: readonly Struck[]; readonly late: readonly string[] }> {
  const random = new Random(seed, FAULTS)
  const all: Struck[] = []
  const late: string[] = []
  await strikeAll(faults, {
    ...{ schedule, probe },
    sceneOf: (holdMs, tell) => holdfastScene({ world, random, holdMs, resources, ended, say: tell }),
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

function holdfastOn(members: string, machines: string): Spawn {
  return ({ id, endpoint, dataDirectory, through }, environment) =>
    NodeProcess.spawn({
      id: nodeId(id),
      address: endpoint,
      members,
      dataDirectory,
      through,
      machines,
      environment: { HOLDFAST_LIMITS: LIMITS, HOLDFAST_INSECURE: 'true', ...environment },
    })
}

function eventsOf(path: string): HistoryEvent[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as HistoryEvent) // As the clients wrote it.
}

function countsOf(operations: readonly Operation[]): CellResult['counts'] {
  const counts = { ok: 0, fail: 0, info: 0 }
  for (const { type } of operations) counts[type] += 1
  return counts
}

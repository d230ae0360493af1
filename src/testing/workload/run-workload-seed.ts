import type { NodeId } from '../../base/brand.ts'
import { Random } from '../../base/random.ts'
import { type HistoryEvent, operationsOf } from '../../history/history.ts'
import type { Verdict } from '../../history/verdict.ts'
import { guardedMount } from '../../assembly/development/guarded-mount.ts'
import type { Mount } from '../../machine/index.ts'
import { Violation } from '../../sim/checkers/violation.ts'
import { FaultyWorld, type WorkloadParts, type WorldListener } from '../../sim/faulty-world.ts'
import type { SeedResult } from '../../sim/run-seed.ts'
import { environmentOf } from '../../sim/world/client-environment.ts'
import { WALL_START_MS } from '../../sim/world/simulated-clock.ts'
import type { SimulatedNode } from '../../sim/world/simulated-node.ts'
import { telling } from '../cluster/telling-environment.ts'
import { ProbedMachines } from '../machine/probed-machines.ts'
import type { TypedMachines } from '../machines.ts'
import { clientsOf, type Workload, type WorkloadTables } from './define-workload.ts'
import { Recorder } from './recorder.ts'
import { WorkloadClient } from './workload-client.ts'
import { WorkloadTablesReader } from './workload-tables.ts'

/** Taken when the module is loaded: a client that replaces the process's timers does not stop the world. */
const { setImmediate: soon } = globalThis

/** Streams of the seed's randomness that the workload adds: how many clients there are, and one per client and per session. */
const [CLIENTS, CLIENT, SESSION] = [141, 142, 143]
/** After healing every client ends within this time, in microseconds. */
const ENDED_WITHIN = 1_000_000_000
/** So often clients are told, or look at the clock, while it stands: they wait for what only time can bring. */
const STILL_MAX = 100_000
/** Anomalies that a violation tells. */
const ANOMALIES_MAX = 3

/** What one seed of a workload did. */
export interface WorkloadSeedResult extends SeedResult {
  readonly workload: WorkloadCounts
}

/** Of operations that clients recorded; `duringFaults` and `unknown` are of these. */
export interface WorkloadCounts {
  readonly operations: number
  readonly duringFaults: number
  readonly unknown: number
}

/** Who wants to know more of a seed than what it did. */
export interface SeedListener extends WorldListener {
  /** What clients recorded, at the end, whatever that is. */
  readonly history?: ((events: readonly HistoryEvent[]) => void) | undefined
}

/**
 * Runs one seed's world under a workload to its end (faults.md §1). Deterministic as far as the workload is: equal seeds
 * give equal results, the hash included. `machines`: what the nodes run in place of the workload's own.
 */
export async function runWorkloadSeed(
  workload: Workload,
  seed: number,
  options: SeedListener & { readonly machines?: TypedMachines | undefined } = {},
): Promise<WorkloadSeedResult> {
  const run = new WorkloadRun(workload, seed, options)
  let failure: string | null = null
  try {
    await run.run()
  } catch (error) {
    failure = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    options.trace?.(error instanceof Error ? (error.stack ?? failure) : failure)
  }
  options.history?.(run.recorder.events)
  return run.result(failure)
}

class WorkloadRun {
  readonly recorder: Recorder
  private readonly workload: Workload
  private readonly machines: TypedMachines
  private readonly world: FaultyWorld
  private readonly clients: readonly WorkloadClient[]
  private readonly probed = new Map<NodeId, ProbedMachines>()
  private readonly tables: WorkloadTablesReader
  private sessions = 0
  private healed = false
  /** Somebody was told something: code of a client may want to go on. */
  private told = true
  /** Clients that are at work. */
  private busy = 0
  private broken: Violation | null = null
  /** What the clock shows, in microseconds, and how often it was looked at since. */
  private readonly still = { since: -1, looks: 0 }

  constructor(
    workload: Workload,
    seed: number,
    options: SeedListener & { readonly machines?: TypedMachines | undefined },
  ) {
    this.workload = workload
    this.machines = options.machines ?? workload.machines
    this.tables = new WorkloadTablesReader(this.machines)
    const { limits = {} } = workload
    const own = {
      mount: (_work: unknown, id: NodeId) => this.mount(id),
      observe: (id: NodeId) => this.observer(id),
      limits,
    }
    this.world = new FaultyWorld(seed, () => own, options)
    this.recorder = new Recorder({
      nowMicros: () => this.world.cluster.scheduler.now,
      faulty: () => !this.healed,
    })
    const [least, most] = clientsOf(workload)
    const count = new Random(seed, CLIENTS).between(least, most)
    this.clients = Array.from({ length: count }, (_, number) => this.newClient(number))
  }

  async run(): Promise<void> {
    const { world } = this
    world.begin({ open: () => this.employ((client) => this.workload.client(client)) }, [world.nemesis])
    await this.runUntil(() => world.over)
    const alive = world.heal()
    this.healed = true
    if (!world.canRun(alive)) return
    await this.finished(alive)
    const { finish } = this.workload
    if (finish !== undefined) this.employ((client) => finish.call(this.workload, client))
    await this.finished(alive)
    this.checkEnd(alive)
  }

  result(failure: string | null): WorkloadSeedResult {
    const { operations, duringFaults, unknown, events } = this.recorder
    const acks = events.filter(({ kind }) => kind === 'ok').length
    return { ...this.world.result(failure, acks), workload: { operations, duringFaults, unknown } }
  }

  private mount(id: NodeId): Mount {
    const probed = new ProbedMachines(this.machines)
    this.probed.set(id, probed)
    return guardedMount(probed.mount)
  }

  private observer(id: NodeId): ReturnType<WorkloadParts['observe']> {
    return {
      composed: ({ driver, gateway, machine }) => {
        this.world.watch.listen(id, driver, (index, first) => {
          if (first && machine.activated) this.checkInvariants(id, index)
        })
        driver.listen({
          applied: () => undefined,
          batchApplied: () => undefined,
          roleChanged: () => undefined,
          stopped: () => undefined,
          noted: () => undefined,
          reported: (told) => {
            if (told.kind === 'failure') this.broken ??= new Violation('no machine throws', { node: id, ...told })
          },
        })
        return gateway
      },
    }
  }

  private newClient(number: number): WorkloadClient {
    const { scheduler, nodes } = this.world.cluster
    const { seed } = this.world
    return new WorkloadClient({
      number,
      machines: this.workload.machines,
      endpoints: nodes.map((node) => node.address),
      random: new Random(seed, CLIENT, number),
      recorder: this.recorder,
      nowMs: () => {
        this.assertTimePasses()
        return WALL_START_MS + scheduler.now / 1000
      },
      faulty: () => {
        this.assertTimePasses()
        return !this.healed
      },
      later: (ms, callback) =>
        scheduler.after(ms * 1000, () => {
          this.told = true
          callback()
        }),
      environment: () => this.environment(),
    })
  }

  private environment(): ReturnType<typeof environmentOf> {
    const { scheduler, channels } = this.world.cluster
    this.sessions += 1
    const random = new Random(this.world.seed, SESSION, this.sessions)
    const environment = environmentOf({ name: `session-${this.sessions}`, scheduler, channels, random })
    const told = telling(environment, () => {
      this.told = true
    })
    const nowMs = (): number => {
      this.assertTimePasses()
      return environment.clock.nowMs()
    }
    // What a client is warned of, as of a handler that failed, is the client's to judge.
    return { ...told, clock: { ...told.clock, nowMs }, warn: () => undefined }
  }

  /**
   * Throws where clients go on without end at one moment: in their code, which then never waits for an event, or in events
   * that are due at once. Every command of a session looks at the clock, also of one that is over and answers at once.
   */
  private assertTimePasses(): void {
    const { still } = this
    const { now } = this.world.cluster.scheduler
    if (still.since !== now) [still.since, still.looks] = [now, 0]
    still.looks += 1
    if (still.looks <= STILL_MAX) return
    this.broken ??= new Violation('a client lets time pass', { seconds: now / 1_000_000, looks: STILL_MAX })
    throw this.broken
  }

  /** All clients do that, at once. */
  private employ(work: (client: WorkloadClient) => Promise<void>): void {
    for (const client of this.clients) {
      this.busy += 1
      const ended = (): void => {
        this.busy -= 1
      }
      const failed = (error: unknown): void => {
        this.broken ??= new Violation('a client ends without an error', { client: client.number, error: String(error) })
      }
      work(client).then(ended, failed)
    }
    this.told = true
  }

  /** Every client has ended, and the replicas agree. */
  private async finished(alive: readonly SimulatedNode[]): Promise<void> {
    const { world } = this
    const until = world.cluster.scheduler.now + ENDED_WITHIN
    const done = (): boolean => this.busy === 0 && world.agree(alive)
    await this.runUntil(() => done() || world.cluster.scheduler.now > until)
    if (!done()) throw new Violation('every client ends after healing', { busy: this.busy })
  }

  /** Between two events, whenever a client was told something, its code goes on until it waits again. */
  private async runUntil(end: () => boolean): Promise<void> {
    for (;;) {
      if (this.told) {
        this.told = false
        this.assertTimePasses()
        await new Promise<void>((resolve) => soon(resolve))
      }
      if (this.broken !== null) throw this.broken
      if (end() || !this.world.step()) return
    }
  }

  private checkInvariants(id: NodeId, index: number): void {
    const { invariants = {} } = this.workload
    for (const [name, holds] of Object.entries(invariants)) {
      const broken = (why: unknown): Violation => new Violation(name, { node: id, index, why })
      this.lookInto(id, (tables) => {
        try {
          const held: unknown = holds(tables)
          if (isAsync(held)) throw broken(ASYNC)
          if (held === false) throw broken('it is false')
        } catch (error) {
          throw error instanceof Violation ? error : broken(String(error))
        }
      })
    }
  }

  private checkEnd(alive: readonly SimulatedNode[]): void {
    const { checks = {} } = this.workload
    const { events } = this.recorder
    const operations = operationsOf(events)
    const [node] = alive
    if (node === undefined) return
    for (const [name, check] of Object.entries(checks)) {
      const verdict = this.lookInto(node.id, (tables) => check({ operations, events, tables }))
      const wrong = isAsync(verdict) ? { why: ASYNC } : wrongOf(verdict)
      if (wrong !== null) throw new Violation(name, wrong)
    }
  }

  private lookInto<Result>(id: NodeId, look: (tables: WorkloadTables<TypedMachines>) => Result): Result {
    const state = this.world.cluster.nodes.find((node) => node.id === id)?.machine ?? null
    const probed = this.probed.get(id)
    if (state === null || probed === undefined) throw new Violation('a node that runs has machines', { id })
    // The tables of those machines, whose types the workload has.
    return this.tables.read({ probed, state }, (tables) => look(tables as WorkloadTables<TypedMachines>))
  }
}

const ASYNC = 'it must not be async: what it promises nobody waits for'

/** Whether it is a promise, or the like. What it comes to is of no interest, nor that it fails. */
function isAsync(result: unknown): boolean {
  if (typeof result !== 'object' || result === null || !('then' in result) || typeof result.then !== 'function')
    return false
  Promise.resolve(result).catch(() => undefined)
  return true
}

/** What a check found, or null where nothing is wrong. */
function wrongOf(verdict: boolean | Verdict | void): { readonly [name: string]: unknown } | null {
  if (verdict === undefined || verdict === true) return null
  if (verdict === false) return { why: 'it is false' }
  if (verdict.kind === 'ok') return null
  if (verdict.kind === 'unknown') return { unknown: verdict.why }
  const { anomalies } = verdict
  return {
    count: anomalies.length,
    anomalies: anomalies.slice(0, ANOMALIES_MAX).map(({ name, text }) => `${name}: ${text}`),
  }
}

import type { Limits } from '../../codec/entry/payload.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import type { MachineSchema, TableViews } from '../../machine/index.ts'
import type { MachineLine } from '../../session/machine-report.ts'
import { SessionStateMachine } from '../../session/session-state-machine.ts'
import type { ScheduleStatus } from '../../session/schedule.ts'
import type { TaskRecord } from '../../session/user-machine.ts'
import { WALL_START_MS } from '../../sim/world/simulated-clock.ts'
import { withDeterminismGuard } from '../../assembly/development/determinism-guard.ts'
import { checkKitOptions, checkMachines } from '../check-options.ts'
import { type Duration, durationMs } from '../duration.ts'
import type { TypedMachines } from '../machines.ts'
import { EntryLog, type SessionGiven } from './entry-log.ts'
import { HarnessSession } from './harness-session.ts'
import { PassingTime } from './pass-time.ts'
import { ProbedMachines } from './probed-machines.ts'
import { type ArmedTimer, type OpenWait, StateRows } from './state-rows.ts'
import { thrownBy } from './thrown-by.ts'

/** How a harness differs from a new cluster in November 2023. */
export interface HarnessOptions {
  /** The wall clock at the start, ms since the Unix epoch. Default 1,700,000,000,000. */
  readonly nowMs?: number
  /** Limits that are not the product's. */
  readonly limits?: Partial<Limits>
  /** What a machine may not use throws, with the `ctx` member to use instead. Default true. */
  readonly guard?: boolean
  /**
   * A throw in a machine is a bug: `throw` hands it to whoever ran the machine (default); `collect` keeps it in `failures` and
   * goes on as production does, with the outcome MACHINE_ERROR.
   */
  readonly failures?: 'throw' | 'collect'
}

/** The schema of the machine of that name; of any machine where the name is not known. */
export type SchemaNamed<Machines extends TypedMachines, Name> =
  Extract<Machines[number], { readonly name: Name }> extends {
    readonly schema: infer Schema extends MachineSchema
  }
    ? Schema
    : MachineSchema

/**
 * One replica of the machines in memory, under the real session layer and without a cluster, a client or a promise: what is
 * called has happened when the call returns. For unit tests of a machine.
 */
export function machineHarness<const Machines extends TypedMachines>(
  machines: Machines,
  options?: HarnessOptions,
): MachineHarness<Machines>
export function machineHarness<const Machine extends TypedMachines[number]>(
  machine: Machine,
  options?: HarnessOptions,
): MachineHarness<readonly [Machine]>
export function machineHarness(
  given: TypedMachines | TypedMachines[number],
  options: HarnessOptions = {},
): MachineHarness<TypedMachines> {
  return new MachineHarness(Array.isArray(given) ? given : [given], options)
}

/** Made by `machineHarness`. */
export class MachineHarness<Machines extends TypedMachines> {
  /** What machines threw, or did that counts as thrown, the oldest first; empty unless failures are collected. */
  readonly failures: Error[] = []
  /** What machines said with `ctx.log`, the oldest first. */
  readonly lines: MachineLine[] = []
  private readonly options: HarnessOptions
  private readonly machines: Machines
  private readonly probed: ProbedMachines
  private readonly state: SessionStateMachine
  private readonly log: EntryLog
  private readonly rows: StateRows
  private readonly time: PassingTime
  private thrown: Error[] = []

  constructor(machines: Machines, given: HarnessOptions) {
    const options = checkKitOptions(given, ['nowMs', 'limits', 'guard', 'failures'])
    checkMachines(machines)
    const { nowMs = WALL_START_MS, limits = {}, guard = true } = options
    this.options = options
    this.machines = machines
    this.probed = new ProbedMachines(machines)
    const { userMachine } = this.probed.mount
    this.state = new SessionStateMachine(guard ? withDeterminismGuard(userMachine) : userMachine, sessionCodec, {
      rehearse: guard,
      report: (told) => {
        if (told.kind === 'line') this.lines.push(told)
        else this.thrown.push(thrownBy(told))
      },
    })
    this.rows = new StateRows(this.state)
    this.log = new EntryLog((entry, bytes) => this.state.apply(entry, bytes), { now: nowMs, limits, machines })
    this.time = new PassingTime(this.log, this.state)
  }

  /** The wall clock that machines see, ms since the Unix epoch. */
  get now(): number {
    return this.log.now
  }

  /** Index of the entry applied last. */
  get index(): number {
    return this.state.appliedIndex
  }

  /** Timers that are armed, the next one to fire first. */
  get timers(): readonly ArmedTimer[] {
    return this.rows.timers()
  }

  /** Waits that have not ended, the oldest first. */
  get waits(): readonly OpenWait[] {
    return this.rows.waits()
  }

  /** The schedules there are, by machine and name (`kind/key`). Their next occurrences are computed when time passes. */
  get schedules(): readonly ScheduleStatus[] {
    return this.state.schedules.listAfter(null, Number.MAX_SAFE_INTEGER)
  }

  /** Tasks that wait for a worker or are with one, the oldest first. */
  get tasks(): readonly TaskRecord[] {
    return this.rows.tasks()
  }

  /** Opens a session. Throws when a machine refuses it. */
  session(principal: string, given: Omit<SessionGiven, 'principal'> = {}): HarnessSession<Machines> {
    const { reply } = this.settled(() => this.log.open({ principal, ...given }))
    if (reply.kind !== 'opened') throw new Error(`the session was not opened: ${JSON.stringify(reply)}`)
    return new HarnessSession<Machines>(reply.sessionId, {
      machines: this.machines,
      mount: this.probed.mount,
      state: this.state,
      log: this.log,
      settled: (run) => this.settled(run),
    })
  }

  /**
   * Lets time pass in one step, and fires what falls due meanwhile, each timer at its own time. Where there are schedules, each
   * of their occurrences is a step.
   */
  advance(duration: Duration): void {
    const ms = durationMs(duration)
    this.settled(() => this.time.pass(ms))
  }

  /** Runs `read` with a machine's tables, and gives what it returns. The tables are read within the call only. */
  read<Name extends Machines[number]['name'], Result>(
    machine: Name,
    read: (tables: TableViews<SchemaNamed<Machines, Name>>) => Result,
  ): Result {
    return this.probed.read(this.state, machine, read)
  }

  /** The rows of a table in the order of their keys; all of them, in one array. */
  table<Name extends Machines[number]['name'], Table extends keyof SchemaNamed<Machines, Name>['state'] & string>(
    machine: Name,
    table: Table,
  ): ReturnType<TableViews<SchemaNamed<Machines, Name>>[Table]['range']> {
    return this.read(machine, (tables) => tables[table].range({ limit: Number.MAX_SAFE_INTEGER })) as ReturnType<
      TableViews<SchemaNamed<Machines, Name>>[Table]['range']
    >
  }

  /** The running hash over everything applied, 16 hex digits: equal histories have equal ones. */
  stateHash(): string {
    return this.state.stateHash()
  }

  /** Runs something, then throws what a machine threw in it. */
  private settled<Result>(run: () => Result): Result {
    this.thrown = []
    const result = run()
    if (this.options.failures === 'collect') this.failures.push(...this.thrown)
    else if (this.thrown[0] !== undefined) throw this.thrown[0]
    return result
  }
}

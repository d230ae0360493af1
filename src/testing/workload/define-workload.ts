import type { Limits } from '../../codec/entry/payload.ts'
import type { HistoryEvent, Operation } from '../../history/history.ts'
import type { Activity } from '../../history/properties/activity.ts'
import type { Verdict } from '../../history/verdict.ts'
import type { MachineSchema, TableViews } from '../../machine/index.ts'
import { checkMachines } from '../check-options.ts'
import type { TypedMachines } from '../machines.ts'
import type { WorkloadClient } from './workload-client.ts'

/** The tables of all machines, by name, as queries see them: `stock.items.get('tea')`. */
export type WorkloadTables<Machines extends TypedMachines> = {
  readonly [Machine in Machines[number] as Machine['name']]: Machine extends {
    readonly schema: infer Schema extends MachineSchema
  }
    ? TableViews<Schema>
    : never
}

/** What is left of a seed when its clients are done and its replicas agree. */
export interface WorkloadEnd<Machines extends TypedMachines> {
  /** What clients recorded, in order, for the checkers of histories. */
  readonly operations: readonly Operation[]
  readonly events: readonly HistoryEvent[]
  /** Of a replica; valid while the check runs. */
  readonly tables: WorkloadTables<Machines>
}

/** What clients do to machines in the simulator, and what must hold meanwhile. */
export interface WorkloadOptions<Machines extends TypedMachines> {
  /** What the nodes run, and what the clients' sessions have methods of. */
  readonly machines: Machines
  /** Clients of a seed: so many, or what the seed draws of `[least, most]`. Default `[1, 5]`. */
  readonly clients?: number | readonly [least: number, most: number]
  /** Limits that are not the product's, such as `ackTimeoutMs`. */
  readonly limits?: Partial<Limits>
  /**
   * What each client does, from the first event on, while faults strike. It must end, by itself and without an error, some
   * time after they are over, and let time pass in every loop. Whatever it decides must come from `client`: no clock, timer or
   * randomness of the process.
   */
  client(client: WorkloadClient<Machines>): Promise<void>
  /** What each client does when all are done and the faults are over: reads of what is left, as a rule. */
  finish?(client: WorkloadClient<Machines>): Promise<void>
  /** Must hold after every entry, of all tables; what returns false or a promise, or throws, does not. */
  readonly invariants?: { readonly [name: string]: (tables: WorkloadTables<Machines>) => boolean | void }
  /** Must hold in the end; false, a promise, or a verdict that is not `ok` does not. */
  readonly checks?: { readonly [name: string]: (end: WorkloadEnd<Machines>) => boolean | Verdict | void }
  /**
   * What a run of many seeds must have had per seed, on average, to count: `operations` (recorded), `duringFaults` (of these),
   * `unknown` (of these), `acks`, `elections`, `snapshots`, `installs`.
   */
  readonly minimum?: Activity
}

/** Made by `defineWorkload`, for `holdfast sim --workload FILE`. */
export interface Workload extends WorkloadOptions<TypedMachines> {
  readonly kind: 'workload'
}

/**
 * Describes a workload, with types: `holdfast sim --workload ./workload.ts` takes it from a module that exports it. Throws
 * InvalidArgument for machines that are none, and TypeError for a number of clients that cannot be.
 */
export function defineWorkload<const Machines extends TypedMachines>(options: WorkloadOptions<Machines>): Workload {
  checkMachines(options.machines)
  const [least, most] = clientsOf(options)
  if (!Number.isSafeInteger(least) || !Number.isSafeInteger(most) || least < 1 || most < least)
    throw new TypeError(`clients is ${String(options.clients)}: give a whole number from 1, or the least and the most`)
  // Clients, tables and ends are made from the very machines that the types are derived from.
  return { ...options, kind: 'workload' } as unknown as Workload
}

/** The least and the most clients of a seed. */
export function clientsOf({ clients = [1, 5] }: Pick<Workload, 'clients'>): readonly [least: number, most: number] {
  return typeof clients === 'number' ? [clients, clients] : clients
}

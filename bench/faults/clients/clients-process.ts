import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ProbeChild } from '../../failover/probe-child.ts'
import type { HistoryEvent } from '../history.ts'
import type { FaultWorld } from '../world/fault-world.ts'
import type { Resources } from '../world/resources.ts'
import type { ClientsOptions, ClientsOrder, ClientsReport } from './clients.ts'
import type { WorkloadName } from './steps.ts'

/** What clients say once everything that they had asked for has ended. */
export type ClientsStopped = Extract<ClientsReport, { readonly kind: 'stopped' }>

const LANES_PER_WORKLOAD = 4

/** The process of one half of the clients. */
export class Clients {
  private readonly child: ProbeChild<ClientsOrder, ClientsReport>
  private readonly history: string

  constructor(
    { endpoints, throughClients }: FaultWorld,
    given: {
      readonly workloads: readonly WorkloadName[]
      readonly pays: boolean
      /** Which of the two. */
      readonly half: number
      readonly beganNs: bigint
      /** Path of their compiled module, which is started with ClientsOptions; absent: clients of Holdfast. */
      readonly module?: string
      readonly options: { readonly resources: Resources; readonly seed: number }
    },
  ) {
    const { workloads, pays, half, beganNs, module = join(import.meta.dirname, 'clients.js') } = given
    const { resources, seed } = given.options
    this.history = join(resources.directory, `history-${half}.jsonl`)
    const told: ClientsOptions = {
      ...{ endpoints, seed, workloads, pays, half, history: this.history },
      ...{ lanesPerWorkload: LANES_PER_WORKLOAD, began: String(beganNs) },
    }
    this.child = new ProbeChild(module, [JSON.stringify(told)], throughClients[half])
    resources.noteProcess(this.child.pid)
  }

  /** Every session is open. */
  async ready(): Promise<void> {
    await this.child.heard()
  }

  async stop(): Promise<ClientsStopped> {
    const report = await this.child.ask({ kind: 'stop' })
    if (report.kind !== 'stopped') throw new Error(`the clients said ${report.kind} when they were told to stop`)
    return report
  }

  end(): Promise<void> {
    return this.child.end({ kind: 'end' })
  }

  /** What they did, in the order of each process; once they have stopped. */
  events(): HistoryEvent[] {
    const lines = readFileSync(this.history, 'utf8').split('\n')
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as HistoryEvent) // As they wrote it.
  }
}

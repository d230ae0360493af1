import { printJson, say } from '../../src/cli/terminal/output.ts'
import { FAULTS } from './nemesis/catalogue.ts'
import type { Fault } from './nemesis/fault.ts'
import type { Schedule } from './nemesis/nemesis.ts'
import { type Cell, runCells } from './faults.ts'

export interface PowerLossFlags {
  readonly json: boolean
  readonly rounds: number
  readonly seed: number
}

const FAULT = 'power-loss-all'
/** A run that was stopped goes on behind the last cluster that has had all of its rounds. */
const ROUNDS_PER_CLUSTER = 25
const ROUNDS: Schedule = {
  healthyMs: 2_000,
  holdMs: { min: 0, max: 0 },
  quietMs: { min: 600, max: 1_500 },
  budgetMs: 3_600_000,
  recoveryMsMax: 120_000,
}

/**
 * All nodes lose their power in one turn under load, and with it every byte that was not synced, so many times. True when
 * nothing that was acknowledged is gone, and whatever else is judged of a history holds.
 */
export async function powerLoss({ json, rounds, seed }: PowerLossFlags): Promise<boolean> {
  const wanted = FAULTS.filter(({ name }) => name === FAULT)
  const cells = (able: readonly Fault[]): Cell[] =>
    able.flatMap((fault) => clustersOf(rounds).map((some, at) => cellOf(fault, some, seed + at)))
  const { summary, out } = await runCells({
    wanted,
    cells,
    seed,
    loopback: false,
    etcd: false,
    kept: true,
    out: 'power-loss',
  })
  const trials = summary.faults[FAULT] ?? []
  const { ok, lost, anomalies, unknown, counts, commit, seconds, goals, skipped } = summary
  const told = { rounds: trials.length, lost, anomalies, unknown, counts, probe: summary.probe, goals }
  say(`the report is in ${out}`)
  const line = { ok, ...told, unrecovered: summary.unrecovered, skipped, seed, commit, seconds }
  if (json) printJson(line)
  else say(JSON.stringify(line, null, 2))
  return ok
}

function clustersOf(rounds: number): number[] {
  const clusters = Array.from({ length: Math.floor(rounds / ROUNDS_PER_CLUSTER) }, () => ROUNDS_PER_CLUSTER)
  const left = rounds % ROUNDS_PER_CLUSTER
  return left === 0 ? clusters : [...clusters, left]
}

function cellOf(fault: Fault, rounds: number, seed: number): Cell {
  const faults = Array.from({ length: rounds }, () => fault)
  return { name: `${rounds}-rounds-of-seed-${seed}`, faults, schedule: ROUNDS, seed }
}

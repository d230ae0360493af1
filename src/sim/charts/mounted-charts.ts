import type { AnyStateMachine } from 'xstate'
import type { Random } from '../../base/random.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import { mount, type MachineDefinition, type Mount } from '../../machine/index.ts'
import { fromXState } from '../../machine/xstate/index.ts'
import type { ChartRecorder } from './chart-recorder.ts'
import { CLASSICS } from './classics.ts'
import { type Workflow, WORKFLOWS } from './workflows.ts'

/** A chart of the workload, as the machine that a cluster runs. */
export interface MountedChart extends Workflow {
  readonly definition: MachineDefinition
}

/** Charts in one seed: all of them follow one another every four seeds. */
const PER_SEED = 4

/** Long enough for a change of leader, short enough that one that nobody answers ends within a seed. */
const LEASE_MS = 1_500

const ALL: readonly MountedChart[] = [...WORKFLOWS, ...CLASSICS].map((workflow, at) => {
  const { machine } = workflow
  const names = workNames(machine)
  // Of half of the charts, work that fails is tried again.
  const work = Object.fromEntries(names.map((name) => [name, { leaseMs: LEASE_MS, maxAttempts: 1 + (at % 2) }]))
  const options = { name: machine.id, version: 1, work }
  return { ...workflow, definition: fromXState(machine, options) as unknown as MachineDefinition }
})

/** The charts of a seed: the next in turn, and others at random. */
export function chartsOf(seed: number, random: Random): readonly MountedChart[] {
  const charts = new Set<MountedChart>()
  for (let at = 0; at < PER_SEED / 2; at += 1) {
    const chart = ALL[(Math.abs(seed) * 2 + at) % ALL.length]
    if (chart !== undefined) charts.add(chart)
  }
  while (charts.size < PER_SEED) charts.add(random.pick(ALL))
  return [...charts]
}

/** The machines of one process, whose calls the recorder takes down. */
export function mountCharts(charts: readonly MountedChart[], recorder: ChartRecorder): Mount {
  return mount(
    charts.map(({ definition }) => recorder.recorded(definition)),
    sessionCodec,
  )
}

/** Names of the promises of a chart and of those that it invokes. */
function workNames({ implementations }: AnyStateMachine): readonly string[] {
  const names = Object.entries(implementations.actors).flatMap(([name, logic]) =>
    'root' in (logic as object) ? workNames(logic as unknown as AnyStateMachine) : [name],
  )
  return [...new Set(names)]
}

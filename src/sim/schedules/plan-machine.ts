import type { Value } from '../../codec/value/value.ts'
import { bare, type BareMachine, type MachineContext } from '../../machine/index.ts'
import type { ScheduleDefinition, ScheduleRun } from '../../session/schedule.ts'
import type { Outcome } from '../../session/user-machine.ts'
import type { PlanRecorder } from './plan-recorder.ts'

/** Name of the machine whose schedules are looked at. */
export const PLANS = 'plans'
const CALM = `${PLANS}/calm`

/** What its commands are told; each uses some of it. */
export interface PlanInput {
  readonly name: string
  readonly definition: Required<ScheduleDefinition>
  readonly from: number
  readonly to: number
}

/** How the runs of a schedule end: every so manyth goes on, or fails; 0: none does. */
export interface PlanPayload {
  readonly openEvery: number
  readonly failEvery: number
}

/** Does to its schedules what it is told, and lets runs go on or fail; the recorder sees all of it. */
export function planMachine(recorder: PlanRecorder): BareMachine {
  return bare(PLANS, {
    apply: (context, { command, input }): Outcome => {
      // Only the planners of the same folder send anything.
      const plan = input as unknown as PlanInput
      if (command === 'regret') return regret(context, plan)
      if (command === 'calm') context.state.set(CALM, true)
      else act(context, { command, plan, recorder })
      return { kind: 'value', value: null }
    },
    onSessionCreated: () => undefined,
    onSessionExpired: () => undefined,
    onSchedule: (context, run) => {
      const end = endOf(context, run)
      recorder.add(context.index, { kind: 'run', run, now: context.now, end })
      context.state.set(`${PLANS}/runs`, Number(context.state.get(`${PLANS}/runs`) ?? 0) + 1)
      if (end === 'failed') throw new Error('this run fails')
      return end === 'open' ? 'open' : undefined
    },
    /** The log's clock. */
    query: ({ now }) => ({ kind: 'value', value: now }),
  })
}

function endOf({ state }: MachineContext, { run, payload }: ScheduleRun): 'over' | 'open' | 'failed' {
  const { openEvery, failEvery } = payload as unknown as PlanPayload
  if (state.get(CALM) === true) return 'over'
  if (failEvery > 0 && run % failEvery === 0) return 'failed'
  return openEvery > 0 && run % openEvery === 0 ? 'open' : 'over'
}

/** All of it is taken back: of a rejection nothing is recorded. */
function regret({ schedules }: MachineContext, { name, definition }: PlanInput): Outcome {
  schedules.cancel(PLANS, name)
  schedules.put(PLANS, name, definition)
  schedules.put(PLANS, `${name}-lost`, definition)
  return { kind: 'reject', code: 'NOT_FOUND', details: null }
}

function act(
  context: MachineContext,
  { command, plan, recorder }: { readonly command: string; readonly plan: PlanInput; readonly recorder: PlanRecorder },
): void {
  const { schedules, index, now } = context
  const { name, definition, from, to } = plan
  if (command === 'put') {
    schedules.put(PLANS, name, definition)
    recorder.add(index, { kind: 'put', name, definition, now })
  } else if (command === 'pause') {
    recorder.add(index, { kind: 'pause', name, done: schedules.pause(PLANS, name), now })
  } else if (command === 'resume') {
    recorder.add(index, { kind: 'resume', name, done: schedules.resume(PLANS, name), now })
  } else if (command === 'cancel') {
    recorder.add(index, { kind: 'cancel', name, done: schedules.cancel(PLANS, name), now })
  } else if (command === 'backfill') {
    const done = schedules.backfill(PLANS, name, { from, to })
    recorder.add(index, { kind: 'backfill', name, from, to, done, now })
  } else {
    const open = schedules.find(PLANS, name)?.open ?? []
    const ended = command === 'endAll' ? open : open.slice(0, 1)
    for (const { run } of ended) {
      recorder.add(index, { kind: 'end', name, run, done: schedules.end(PLANS, name, run), now })
    }
  }
}

/** A command's input as a value. */
export function inputOf(plan: PlanInput): Value {
  return { ...plan, definition: { ...plan.definition } }
}

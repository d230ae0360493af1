import fc from 'fast-check'
import type { ScheduleStep } from '../../src/codec/entry/payload.ts'
import type { ScheduleDefinition, ScheduleOverlap } from '../../src/session/schedule.ts'
import type { Value } from '../../src/codec/value/value.ts'
import type { MachineContext } from '../../src/session/user-machine.ts'
import { type Handler, number } from './bare-machine.ts'
import type { Log } from './log.ts'

/*
 * Schedules in the random logs: the commands and the hook of the property machine, and a proposer whose calendar is plain
 * arithmetic, since no entry computes anything of one.
 */

/** Steps of the clock are up to 40 s, so that occurrences are missed. */
export const CATCH_UP_MS = 20_000
/** Occurrences that one entry may bring. */
export const FILL_MAX = 100

const OVERLAPS = {
  planSkip: 'skip',
  planOne: 'bufferOne',
  planAll: 'bufferAll',
  planBeside: 'allowAll',
  planOther: 'cancelOther',
} as const

/** What each command does, of the schedules `s0` and `s1`. */
export const PLANNING: {
  readonly [command: string]: 'put' | 'pause' | 'resume' | 'backfill' | 'end' | 'cancel' | 'find'
} = {
  ...{ planSkip: 'put', planOne: 'put', planAll: 'put', planBeside: 'put', planOther: 'put' },
  ...{ pausePlan: 'pause', resumePlan: 'resume', backfillPlan: 'backfill', endRun: 'end', unplan: 'cancel' },
  findPlan: 'find',
}
export const PLAN_COMMANDS: readonly string[] = Object.keys(PLANNING)

/** What the hook does at a run, by its number. */
export const RUN_VERBS = ['again', 'stay', 'stay', 'fail', 'end', 'pause', 'none'] as const

export const overlapOf = (command: string): ScheduleOverlap => OVERLAPS[command as keyof typeof OVERLAPS] ?? 'skip'

export const cronOf = (n: number): string => (n > 1 ? 'every 11 s' : 'every 7 s')

const periodOf = (cron: string): number => (cron === 'every 11 s' ? 11_000 : 7000)

function definition(n: number, overlap: ScheduleOverlap): ScheduleDefinition {
  return { cron: cronOf(n), zone: 'UTC', overlap, catchUpMs: CATCH_UP_MS, payload: n }
}

/** The commands that plan. */
export const planning: Record<string, Handler> = Object.fromEntries(
  PLAN_COMMANDS.map((command): [string, Handler] => [
    command,
    (context, input) => plan(context, command, number(input)),
  ]),
)

function plan({ schedules, now }: MachineContext, command: string, n: number): Value {
  const name = `s${n % 2}`
  switch (PLANNING[command]) {
    case 'put':
      return schedules.put('test', name, definition(n, overlapOf(command)))
    case 'pause':
      return schedules.pause('test', name)
    case 'resume':
      return schedules.resume('test', name)
    case 'backfill':
      return schedules.backfill('test', name, { from: now - 10_000 * n - 9000, to: now - 2000 * n })
    case 'end':
      return schedules.end('test', name, (schedules.find('test', name)?.open[0]?.run ?? 0) + (n > 2 ? 1 : 0))
    case 'cancel':
      return schedules.cancel('test', name)
    default:
      return schedules.find('test', name) as Value
  }
}

/** What a command that is refused, or throws, does first. */
export function planInVain({ schedules }: MachineContext): void {
  schedules.put('test', 'lost', definition(0, 'skip'))
  schedules.pause('test', 's0')
  schedules.cancel('test', 's1')
}

export function onSchedule(
  { state, schedules }: MachineContext,
  run: {
    name: string
    run: number
    scheduledAt: number
    payload: Value
    backfilled: boolean
    cancelled: readonly number[]
  },
): void | 'open' {
  const { name, run: count, scheduledAt, payload, backfilled, cancelled } = run
  const told = `${name} ${count} ${scheduledAt} ${String(payload)} ${backfilled} ${cancelled.join()}`
  state.set('ran', [...((state.get('ran') ?? []) as Value[]), told].slice(-9))
  const verb = RUN_VERBS[count % RUN_VERBS.length]
  if (verb === 'pause') schedules.pause('test', name)
  if (verb === 'end') schedules.end('test', name, count - 1)
  if (verb === 'again') {
    schedules.cancel('test', name)
    schedules.put('test', name, definition(count, 'skip'))
  }
  if (verb === 'fail') throw new Error('a bug')
  return verb === 'stay' || verb === 'again' ? 'open' : undefined
}

/** A command of the first session that nothing keeps from being run. */
export function soberCommand(command: string, n = 1) {
  const ids = { id: 1, lowest: 2, ack: 0, epoch: 0 }
  return { kind: 'request' as const, session: 0, ...ids, command, n, to: 0, outdated: false }
}

/** What a proposer or an operator does; the faults are those of a proposer that is late, wrong, or says it twice. */
export type PlanOperation =
  | {
      kind: 'propose'
      fault: 'none' | 'revision' | 'after' | 'tooEarly' | 'tooMany' | 'tooNew' | 'falling' | 'beyond' | 'twice' | 'stop'
    }
  /** `looked`: the step names the revision that its operator has seen, or one before it. */
  | {
      kind: 'operate'
      verb: 'pause' | 'resume' | 'cancel' | 'backfill' | 'end'
      name: string
      looked: 'not' | 'now' | 'before'
    }

export const planOperations: fc.Arbitrary<PlanOperation> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('propose' as const),
      fault: fc.oneof(
        { weight: 5, arbitrary: fc.constant('none' as const) },
        {
          weight: 2,
          arbitrary: fc.constantFrom(
            ...([
              'revision',
              'after',
              'tooEarly',
              'tooMany',
              'tooNew',
              'falling',
              'beyond',
              'twice',
              'stop',
              'stop',
              'stop',
            ] as const),
          ),
        },
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('operate' as const),
      verb: fc.constantFrom(...(['pause', 'resume', 'cancel', 'backfill', 'end'] as const)),
      name: fc.constantFrom('s0', 's1', 'none'),
      looked: fc.constantFrom('not' as const, 'now' as const, 'before' as const),
    }),
  },
)

/** The steps of that operation, of what the log's machine says that it waits for. */
export function stepsOf(log: Log, operation: PlanOperation): ScheduleStep[] {
  const { now, machine } = log
  if (operation.kind === 'operate') {
    const { verb, name, looked } = operation
    const seen = looked === 'not' ? 0 : (machine.schedules.find('test', name)?.revision ?? 0)
    const revision = looked === 'before' ? Math.max(seen - 1, 0) : seen
    const run = verb === 'end' ? (machine.schedules.find('test', name)?.open[0]?.run ?? 1) : 0
    const range = verb === 'backfill' ? { after: now - 30_000, upTo: now - 1000 } : { after: run, upTo: 0 }
    return [{ machine: 'test', name, kind: verb, revision, ...range, missed: 0, times: [], stop: '' }]
  }
  const { fault } = operation
  const steps = machine.schedules.awaited(9).map((awaited): ScheduleStep => {
    const { name, revision, cron, next, backfills } = awaited
    const period = periodOf(cron)
    const base = {
      machine: 'test',
      name,
      revision: revision - (fault === 'revision' ? 1 : 0),
      missed: 0,
      stop: '',
    } as const
    const wrong = fault === 'after' ? 1 : 0
    const [owed] = awaited.owed ?? []
    if (owed !== undefined) return { ...base, ...owedStep(owed, now, fault), kind: 'owed', after: owed.after - wrong }
    const [oldest] = backfills
    if (next !== null && oldest !== undefined) {
      const nothing = { upTo: oldest.after, times: [] }
      if (fault === 'stop') return { ...base, kind: 'fill', after: oldest.after, ...nothing, stop: 'unknownZone' }
      const all = between(period, oldest.after, oldest.upTo)
      const times = all.slice(0, 2)
      const last = all.length > 2 ? (times[1] as number) : oldest.upTo
      if (fault === 'falling') times.reverse()
      const upTo = last + (fault === 'beyond' ? 1 : 0)
      return {
        ...base,
        kind: 'fill',
        after: oldest.after - wrong,
        upTo,
        times: fault === 'tooMany' ? [...Array(101).keys()] : times,
      }
    }
    const { after } = awaited
    const missedUpTo = Math.max(after, now - CATCH_UP_MS + (fault === 'tooNew' ? 5000 : 0))
    const passed = between(period, after, missedUpTo)
    const upTo = passed.length === 0 && fault !== 'tooNew' ? after : missedUpTo
    const first = (Math.floor(upTo / period) + 1) * period
    const times =
      fault === 'stop' ? [] : fault === 'tooEarly' ? [upTo] : fault === 'tooMany' ? [first, first + 1] : [first]
    const stop = fault === 'stop' ? ('never' as const) : ''
    return { ...base, kind: 'next', after: after - wrong, upTo, missed: passed.length, times, stop }
  })
  return fault === 'twice' ? steps.flatMap((step) => [step, step]) : steps
}

/** What a proposer says of what is owed: what is too old is missed, else two at a time wait. */
function owedStep(
  { after, upTo: last, cron }: { readonly after: number; readonly upTo: number; readonly cron: string },
  now: number,
  fault: string,
): Pick<ScheduleStep, 'upTo' | 'times' | 'missed' | 'stop'> {
  if (fault === 'stop') return { upTo: after, times: [], missed: 0, stop: 'unknownZone' }
  const period = periodOf(cron)
  const bound = Math.min(last, now - CATCH_UP_MS + (fault === 'tooNew' ? 5000 : 0))
  if (bound > after) return { upTo: bound, times: [], missed: between(period, after, bound).length, stop: '' }
  const all = between(period, after, last)
  const times = all.slice(0, 2)
  const upTo = (all.length > 2 ? (times[1] as number) : last) + (fault === 'beyond' ? 1 : 0)
  if (fault === 'falling') times.reverse()
  return { upTo, times: fault === 'tooMany' ? [...Array(101).keys()] : times, missed: 0, stop: '' }
}

/** The multiples in (after, upTo]. */
function between(period: number, after: number, upTo: number): number[] {
  const first = Math.floor(after / period) + 1
  const count = Math.max(Math.floor(upTo / period) - first + 1, 0)
  return Array.from({ length: count }, (_, at) => (first + at) * period)
}

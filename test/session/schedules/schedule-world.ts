import type { Value } from '../../../src/codec/value/value.ts'
import { SchedulePlans } from '../../../src/node/propose/schedule-plans.ts'
import type { ScheduleDefinition, ScheduleRun, ScheduleStatus } from '../../../src/session/schedule.ts'
import { SCHEDULES_MAX } from '../../../src/session/schedules/schedule-rows.ts'
import type { MachineContext } from '../../../src/session/user-machine.ts'
import { bareMachine, reject } from '../bare-machine.ts'
import { Log } from '../log.ts'

export type Input = {
  name?: string
  definition?: Partial<ScheduleDefinition>
  from?: number
  to?: number
  run?: number
}
export const MINUTE = 60_000
/** More entries than a leader appends at any moment of these tests: a loop without end stands in the way of time limits. */
const DUTIES_MAX = 10_000
export const HOURLY: ScheduleDefinition = { cron: '0 * * * *', zone: 'UTC' }

/** A machine whose commands are those of `ctx.schedules`, and that keeps every run that it hears of. */
export function world(onSchedule?: (context: MachineContext, run: ScheduleRun) => void | 'open') {
  const heard: (ScheduleRun & { now: number })[] = []
  const nameOf = (input: Value): string => (input as Input).name ?? 's'
  const machine = bareMachine(
    {
      put: ({ schedules }, input) =>
        schedules.put('test', nameOf(input), { ...HOURLY, ...(input as Input).definition } as ScheduleDefinition),
      pause: ({ schedules }, input) => schedules.pause('test', nameOf(input)),
      resume: ({ schedules }, input) => schedules.resume('test', nameOf(input)),
      cancel: ({ schedules }, input) => schedules.cancel('test', nameOf(input)),
      end: ({ schedules }, input) => schedules.end('test', nameOf(input), (input as Input).run ?? 0),
      backfill: ({ schedules }, input) =>
        schedules.backfill('test', nameOf(input), { from: (input as Input).from ?? 0, to: (input as Input).to ?? 0 }),
      regret: ({ schedules }, input) => {
        schedules.cancel('test', nameOf(input))
        schedules.put('test', 'lost', HOURLY)
        return reject('NO')
      },
      many: ({ schedules }, input) => {
        for (let at = 0; at < SCHEDULES_MAX; at += 1) schedules.put('test', `many-${at}`, HOURLY)
        return schedules.put('test', nameOf(input), HOURLY)
      },
      swap: ({ schedules }, input) => {
        schedules.cancel('test', 'many-0')
        return schedules.put('test', nameOf(input), HOURLY)
      },
      change: ({ schedules }) => {
        const found = schedules.find('test', 's')
        ;(found?.waiting as number[] | undefined)?.push(1)
        return null
      },
    },
    {
      onSchedule: (context, run) => {
        heard.push({ ...run, now: context.now })
        context.state.set(`ran/${run.run}`, run.scheduledAt)
        return onSchedule?.(context, run)
      },
    },
  )
  const log = new Log(machine)
  const session = log.open('a')
  const run = (command: string, input: Input = {}) => {
    const highest = log.machine.sessionFacts(session)?.highest ?? 0
    const reply = log.request(session, highest + 1, command, {
      input: input as Value,
      lowestPendingRequestId: highest + 1,
    })
    log.machine.checkInvariants()
    return reply
  }
  const plans = new SchedulePlans()
  const tick = (): void => {
    log.advance(1)
    log.empty('Tick')
  }
  /** What a leader does at its duties, until there is nothing more to do now. */
  const lead = (): void => {
    for (let rounds = 0; ; rounds += 1) {
      if (rounds > DUTIES_MAX) throw new Error('the duties of a leader have no end')
      const steps = plans.steps(log.machine.schedules.awaited(64), log.now)
      if (steps.length > 0) log.append('ScheduleNext', { steps })
      // What is late is due a millisecond after the entry that says so.
      else if ((log.machine.nextTimerDue() ?? Number.POSITIVE_INFINITY) <= log.now + 1) tick()
      else break
      log.machine.checkInvariants()
    }
  }
  /** Passes time as a cluster with a leader does, some minutes at a time. */
  const pass = (minutes: number, step = 10): void => {
    for (let passed = 0; passed < minutes; passed += step) {
      log.advance(step * MINUTE)
      lead()
    }
  }
  const status = (name = 's'): ScheduleStatus => {
    const found = log.machine.schedules.find('test', name)
    if (found === null) throw new Error('no such schedule')
    return found
  }
  const runs = () => heard.splice(0).map(({ scheduledAt }) => new Date(scheduledAt).toISOString().slice(11, 16))
  return { log, run, heard, lead, pass, status, runs }
}

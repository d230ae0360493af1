import type { Value } from '../../../src/codec/value/value.ts'
import { PLAN_COMMANDS } from '../planning.ts'
import { type ModelScheduleHost, runPlanCommand } from './schedules.ts'
import { type ModelTaskHost, runTaskCommand, TASK_COMMANDS } from './tasks.ts'
import type { Everything } from './types.ts'
import { runWaitCommand, WAIT_COMMANDS } from './waits.ts'

/** What a command does to the model. */
export interface ModelCommandHost extends ModelScheduleHost, ModelTaskHost {
  readonly all: Everything
  emit(to: number, type: string, payload: Value): boolean
  coalesce(index: number, payload: Value): boolean
  notify(principal: string, topic: string, body: Value): void
}

/** A command of the session `index`: its value. Undefined: a full outbox refused an emission. */
export function runCommand(host: ModelCommandHost, index: number, command: string, input: Value): Value | undefined {
  const { user, timers, sessions, waits } = host.all
  const n = Number(input)
  if (command === 'increment') {
    user.set(`count/${n}`, Number(user.get(`count/${n}`) ?? 0) + 1)
    return user.get(`count/${n}`)
  }
  if (command === 'emit') {
    const results = Array.from({ length: n }, (_, at) => host.emit(index, 'event', at))
    return results.includes(false) ? undefined : results
  }
  if (command === 'emitOther') {
    const to = Number(String(input).split('/')[2])
    if (!sessions.has(to)) return false
    return host.emit(to, 'event', 'hello') || undefined
  }
  if (command === 'coalesce') return host.coalesce(index, input) || undefined
  if (WAIT_COMMANDS.includes(command)) return runWaitCommand(waits, { command, n, index, now: host.now })
  if (TASK_COMMANDS.includes(command)) return runTaskCommand(host, command, n)
  if (PLAN_COMMANDS.includes(command)) return runPlanCommand(host, command, n)
  if (command === 'later') timers.set(`t${n % 3}`, { dueAt: host.now + Math.max(n * 5000, 1), to: index })
  if (command === 'cancel') return timers.delete(`t${n % 3}`)
  if (command === 'notify') host.notify(`user:${n}`, 'news', host.index)
  return command === 'once' ? once(host, n) : null
}

function once({ all, now, index }: ModelCommandHost, n: number): Value {
  const kept = all.once.get(`k${n}`)
  if (kept !== undefined && kept.until > now) return ['replayed', kept.value]
  all.once.set(`k${n}`, { value: index, until: now + 60_000 })
  return ['fresh', index]
}

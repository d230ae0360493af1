import type { Value } from '../../../src/codec/value/value.ts'
import { dueOf } from './schedules.ts'
import { dueTasks } from './tasks.ts'
import type { Everything } from './types.ts'

/** A wait as the model has it. */
export interface ModelWait {
  id: string
  key: string
  dueAt: number | null
  /** Index of the session that owns it, or null. */
  owner: number | null
  /** Its owner is told by a server request. */
  deliver: boolean
}

/** A wait that has ended and is to be told. */
export interface ModelEnd {
  wait: ModelWait
  end: { kind: 'signalled'; value: Value } | { kind: 'timedOut' } | { kind: 'ownerEnded' }
  /** How many hooks in a row it comes from. */
  depth: number
}

/** Every wait and signal in the order in which it came, in plain lists. */
export interface ModelWaits {
  next: number
  waits: ModelWait[]
  signals: { key: string; value: Value; until: number }[]
  ends: ModelEnd[]
}

export const noWaits = (): ModelWaits => ({ next: 1, waits: [], signals: [], ends: [] })

/** Small, so that they are reached. */
export const WAITS = {
  waitersPerKeyMax: 3,
  waitersPerSessionMax: 4,
  signalsPerKeyMax: 2,
  signalRetentionMaxMs: 20_000,
}

export const WAIT_COMMANDS = ['wait', 'waitHere', 'tellMe', 'waitLong', 'signal', 'signal', 'push', 'latest', 'unwait']

/** How each command waits: for whom, and how long. */
export const waitOf = (
  command: string,
  index: number,
): Omit<ModelWait, 'id' | 'key'> & { timeoutMs: number | null } => {
  const timeoutMs = command === 'waitLong' ? null : 8000
  return { owner: command === 'wait' ? null : index, deliver: command === 'tellMe', timeoutMs, dueAt: null }
}

export const overflowOf = (command: string): 'reject' | 'dropOldest' | 'coalesce' =>
  command === 'push' ? 'dropOldest' : command === 'latest' ? 'coalesce' : 'reject'

/** The next wait of that key, as `ctx.wait`. */
export function addWait(all: ModelWaits, wait: Omit<ModelWait, 'id'>, now: number, depth: number): string | null {
  all.signals = all.signals.filter(({ until }) => until > now)
  const signal = all.signals.find(({ key }) => key === wait.key)
  const sameKey = all.waits.filter(({ key }) => key === wait.key).length
  const sameOwner = wait.owner === null ? 0 : all.waits.filter(({ owner }) => owner === wait.owner).length
  if (signal === undefined && (sameKey >= WAITS.waitersPerKeyMax || sameOwner >= WAITS.waitersPerSessionMax))
    return null
  const id = `1-wait-${all.next}`
  all.next += 1
  if (signal === undefined) all.waits.push({ ...wait, id })
  else {
    all.signals = all.signals.filter((other) => other !== signal)
    all.ends.push({ wait: { ...wait, id }, end: { kind: 'signalled', value: signal.value }, depth })
  }
  return id
}

/** A signal, as `ctx.signal`. */
export function addSignal(
  all: ModelWaits,
  signal: { key: string; value: Value; overflow: 'reject' | 'dropOldest' | 'coalesce' },
  now: number,
  depth: number,
): 'taken' | 'kept' | 'refused' {
  const { key, value, overflow } = signal
  const wait = all.waits.find((other) => other.key === key)
  if (wait !== undefined) {
    all.waits = all.waits.filter((other) => other !== wait)
    all.ends.push({ wait, end: { kind: 'signalled', value }, depth })
    return 'taken'
  }
  all.signals = all.signals.filter(({ until }) => until > now)
  const kept = all.signals.filter((other) => other.key === key)
  if (kept.length >= WAITS.signalsPerKeyMax) {
    if (overflow === 'reject') return 'refused'
    const gone = overflow === 'dropOldest' ? kept[0] : kept[kept.length - 1]
    all.signals = all.signals.filter((other) => other !== gone)
  }
  all.signals.push({ key, value, until: now + 15_000 })
  all.next += 1
  return 'kept'
}

/** Something that is due: a timer, for a session, or what the session layer keeps of a wait, a schedule or a task. */
type Due = { name: string; dueAt: number } & (
  | { kind: 'timer'; to: number }
  | { kind: 'wait' }
  | { kind: 'schedule' }
  | { kind: 'task' }
)

/** What is due first: by time, then by the key of its row. */
export function nextDue({ waits, timers, schedules, tasks }: Everything): Due | undefined {
  const all: Due[] = [...timers].map(([name, timer]) => ({ kind: 'timer', name, ...timer }))
  for (const { id: name, dueAt } of waits.waits) if (dueAt !== null) all.push({ kind: 'wait', name, dueAt })
  for (const due of dueTasks(tasks)) all.push({ kind: 'task', ...due })
  for (const schedule of schedules.values()) {
    const dueAt = dueOf(schedule)
    if (dueAt !== null) all.push({ kind: 'schedule', name: schedule.name, dueAt })
  }
  return all.sort((a, b) => a.dueAt - b.dueAt || (keyOf(a) < keyOf(b) ? -1 : 1))[0]
}

/** The session layer's own are those of the machine `task`, which sorts before `test`. */
const keyOf = ({ kind, name }: Due): string =>
  kind === 'timer' ? `test ${name}` : kind === 'task' ? `task ${name}` : `task ${kind}:${name}`

/** The waits of a session that has ended, oldest first. */
export function endOwner(all: ModelWaits, owner: number): void {
  const ending = all.waits.filter((wait) => wait.owner === owner)
  all.waits = all.waits.filter((wait) => wait.owner !== owner)
  for (const wait of ending) all.ends.push({ wait, end: { kind: 'ownerEnded' }, depth: 1 })
}

/** The time of a wait is over. */
export function timeOut(all: ModelWaits, id: string): void {
  const wait = all.waits.find((other) => other.id === id)
  if (wait === undefined) return
  all.waits = all.waits.filter((other) => other !== wait)
  all.ends.push({ wait, end: { kind: 'timedOut' }, depth: 1 })
}

/** A command of the property machine that waits or signals. */
export function runWaitCommand(
  all: ModelWaits,
  { command, n, index, now }: { command: string; n: number; index: number; now: number },
): Value {
  const key = `w${n % 3}`
  if (command === 'unwait') {
    const before = all.waits.length
    all.waits = all.waits.filter(({ id }) => id !== `1-wait-${n + 1}`)
    return all.waits.length < before
  }
  if (command.startsWith('wait') || command === 'tellMe') {
    const { timeoutMs, owner, deliver } = waitOf(command, index)
    return addWait(all, { key, owner, deliver, dueAt: timeoutMs === null ? null : now + timeoutMs }, now, 1)
  }
  return addSignal(all, { key, value: n, overflow: overflowOf(command) }, now, 1)
}

/** What the model's ends of waits do to the rest of it. */
export interface ModelWaitHost {
  readonly all: { waits: ModelWaits; readonly user: Map<string, Value> }
  readonly now: number
  /** Runs a function of the machine; false: it was skipped, or failed, and nothing of it stays. */
  hook(label: string, body: () => boolean): boolean
  /** A server request to a session; false where it has ended or has no room. */
  emit(session: number, type: string, payload: Value): boolean
}

/** Tells every end that has come, and those that come of it. */
export function tellEnds(host: ModelWaitHost): void {
  for (;;) {
    const next = host.all.waits.ends.shift()
    if (next === undefined) return
    const { id: waitId, key, owner, deliver } = next.wait
    if (deliver && owner !== null && host.emit(owner, 'waited', { waitId, key, end: next.end })) continue
    host.hook(`wait ${waitId}`, () => hear(host, next))
  }
}

/** The machine's hook; false: it throws. */
function hear({ all, now }: ModelWaitHost, { wait: { id, key, deliver }, end, depth }: ModelEnd): boolean {
  const { user, waits } = all
  user.set('ends', [...((user.get('ends') ?? []) as Value[]), `${id} ${end.kind} ${deliver}`])
  if (end.kind === 'signalled' && key !== 'w2') {
    const following = `w${Number(key.slice(1)) + 1}`
    addSignal(waits, { key: following, value: end.value, overflow: 'reject' }, now, depth + 1)
  }
  if (end.kind === 'timedOut' && key === 'w1')
    addWait(waits, { key: 'w0', owner: null, deliver: false, dueAt: null }, now, depth + 1)
  return !(key === 'w2' && end.kind === 'ownerEnded')
}

import fc from 'fast-check'
import type { SessionId } from '../../../src/base/brand.ts'
import type { Entry } from '../../../src/codec/entry/entry.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import type { LimboRows, LimboTrial, QueryRequest } from '../../../src/session/state-machine.ts'
import type { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import type { MachineContext, QueryView, UserStateMachine } from '../../../src/session/user-machine.ts'
import { bareMachine, type Handler, number, reject } from '../bare-machine.ts'
import { type Log, numbers } from '../log.ts'

/** Small, so that outboxes, caches and windows fill within a few entries. */
export const TIGHT = { outboxCountMax: 3, cachedResponsesMax: 4, windowRequests: 5 }

const own = (context: MachineContext): SessionId => context.session?.id ?? ('' as SessionId)
const row = (input: Value): string => `k${number(input)}`

/** What each of them writes depends on something else that an entry before it may have changed. */
export const HANDLERS: Record<string, Handler> = {
  put: (context, input) => {
    context.state.set(row(input), context.index)
    return context.index
  },
  remove: ({ state }, input) => state.delete(row(input)),
  passing: ({ state }, input) => {
    state.set(`passing/${number(input)}`, 1)
    return state.delete(`passing/${number(input)}`)
  },
  shift: ({ state }, input) => {
    const bounds = { from: 'k', to: 'l', limit: 1 + number(input), reverse: number(input) % 2 === 0 }
    for (const [key] of state.range(bounds)) {
      state.delete(key)
      state.set(`moved/${key}`, true)
    }
    return null
  },
  count: ({ state }) => {
    const rows = state.count({ from: 'k', to: 'l' })
    state.set(`counted/${rows}`, rows)
    return rows
  },
  increment: ({ state }) => {
    const next = number(state.get('number')) + 1
    state.set('number', next)
    return next
  },
  send: (context, input) => {
    const sent = context.emit(own(context), 'event', input)
    context.state.set(`sent/${sent}/${number(input)}`, sent)
    return sent
  },
  drop: (context, input) => {
    const sent = context.emit(own(context), 'event', input, { overflow: 'dropOldest' })
    context.state.set(`drop/${sent}`, context.index)
    return sent
  },
  latest: (context, input) => {
    const sent = context.emit(own(context), 'state', input, { overflow: 'coalesce', key: 'k' })
    context.state.set(`latest/${sent}`, context.index)
    return sent
  },
  arm: (context, input) => {
    context.schedule('test', row(input), context.now + 1000 * number(input), null)
    return null
  },
  disarm: (context, input) => {
    const armed = context.cancel('test', row(input))
    context.state.set(`disarmed/${armed}/${number(input)}`, context.index)
    return armed
  },
  once: (context, input) => {
    const found = context.once('s', row(input), 'f', 3000, () => context.index)
    context.state.set(`once/${found.kind}/${number(input)}`, 'value' in found ? found.value : null)
    return found.kind
  },
  tell: (context, input) => {
    context.notify(`user:${number(input) % 2 === 0 ? 'a' : 'b'}`, 'topic', input)
    context.audit(input)
    context.alert('ODD', input)
    context.state.set(context.id('id-'), context.random())
    return null
  },
  admins: (context) => {
    const admins = context.principalsKnown('admin:')
    context.notify(`admin:${context.index % 3}`, 'topic', null)
    context.state.set(`admins/${admins.length}`, null)
    return admins.length
  },
  refuse: (context, input) => {
    context.state.set('refused', input)
    context.once('s', row(input), 'f', 3000, () => context.index)
    context.schedule('test', row(input), context.now + 5000, null)
    return reject('NO')
  },
  regret: (context, input) => {
    context.afterReject((after) => after.state.set(`after/${number(input)}`, after.index))
    return reject('NO')
  },
  explode: (context) => {
    context.state.set('exploded', true)
    throw new Error('a bug')
  },
  fill: ({ state }, input) => {
    for (let at = 0; at < number(input); at += 1) state.set(`fill/${at}`, at)
    return null
  },
  // What is not followed.
  ask: (context) => context.task('test', SHIP, 'ref', null),
  endTask: (context, input) => context.cancelTask(`1-task-${number(input)}`),
  users: (context) => context.principalsKnown('user:').length,
  wait: (context, input) => context.wait('test', row(input), { timeoutMs: 800 }),
  signal: (context, input) => context.signal('test', row(input), input),
  unwait: (context, input) => context.cancelWait('test', `1-wait-${number(input)}`),
  overflow: (context) => deeper(context, 0),
}

const SHIP = { kind: 'ship', role: 'shipper', leaseMs: 1000, maxAttempts: 2, backoffMs: [10] }

function deeper(context: MachineContext, level: number): number {
  context.state.set(`level-${level}`, level)
  return deeper(context, level + 1) + 1
}

const QUERIES: Record<string, (view: QueryView, input: Value) => Value> = {
  get: ({ state }, input) => state.get(String(input)) ?? null,
  has: ({ state }, input) => state.has(String(input)),
  range: ({ state }, input) => state.range(input as never).map(([key, value]) => [key, value]),
  count: ({ state }, input) => state.count(input as never),
  now: ({ now }) => now,
  index: ({ index }) => index,
  who: ({ session }) => session?.principal ?? null,
  version: (view) => view.activeVersion('test'),
  explode: () => {
    throw new Error('a bug')
  },
  swallow: ({ state }, input) => {
    try {
      return state.get(String(input)) ?? null
    } catch {
      return 'swallowed'
    }
  },
}

export function limboMachine(): UserStateMachine {
  return bareMachine(HANDLERS, {
    onTimer: (context, { name }) => context.state.set(`fired/${name}`, context.now),
    query: (view, { query, input }) => ({ kind: 'value', value: QUERIES[query]?.(view, input) ?? null }),
  })
}

/** A query of that machine. */
export const asked = (query: string, input: Value = null, session: number | null = null): QueryRequest => {
  return { machine: 'test', query, input, session }
}

/** Every row of the machine, by key. */
export function rowsOf(machine: SessionStateMachine): ReadonlyMap<string, Value> {
  const answer = machine.query(asked('range', { from: '', to: '\xff', limit: 10_000 }))
  if (answer.kind !== 'value') throw new Error(`no rows: ${JSON.stringify(answer)}`)
  return new Map(answer.value as [string, Value][])
}

/** Keys whose rows differ. */
export function differing(before: ReadonlyMap<string, Value>, after: ReadonlyMap<string, Value>): string[] {
  const keys = new Set([...before.keys(), ...after.keys()])
  return [...keys].filter((key) => JSON.stringify(before.get(key)) !== JSON.stringify(after.get(key)))
}

/** Adds entries until one is refused; how many were taken, and what they may write. */
export function follow(
  machine: SessionStateMachine,
  entries: readonly Entry[],
): { readonly taken: number; readonly trial: LimboTrial; readonly rows: LimboRows | null } {
  let taken = 0
  const probe = machine.tryLimbo()
  while (taken < entries.length && probe.add(entries[taken] as Entry)) taken += 1
  const trial = taken === entries.length ? probe : machine.tryLimbo()
  if (trial !== probe) for (const entry of entries.slice(0, taken)) trial.add(entry)
  return { taken, trial: probe, rows: trial.rows() }
}

/** What a property does to a log. */
export interface Step {
  readonly kind: 'request' | 'ack' | 'attach' | 'keepAlive' | 'tick' | 'snapshot' | 'open' | 'close'
  readonly session: number
  readonly command: string
  readonly n: number
  /** Against the highest id executed. */
  readonly id: number
  readonly lowest: number
  /** Acknowledges the newest server request. */
  readonly ack: boolean
  readonly staleEpoch: boolean
  readonly ms: number
}

const NOT_FOLLOWED = ['ask', 'endTask', 'users', 'wait', 'signal', 'unwait']
const COMMANDS = Object.keys(HANDLERS).filter((name) => !NOT_FOLLOWED.includes(name) && name !== 'overflow')

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    kind: fc.oneof(
      { weight: 30, arbitrary: fc.constant('request' as const) },
      ...(['ack', 'attach', 'keepAlive', 'tick', 'snapshot', 'open', 'close'] as const).map((kind) => ({
        weight: kind === 'ack' || kind === 'attach' ? 2 : 1,
        arbitrary: fc.constant(kind),
      })),
    ),
    session: fc.nat({ max: 2 }),
    command: fc.oneof(
      { weight: 12, arbitrary: fc.constantFrom(...COMMANDS) },
      { weight: 1, arbitrary: fc.constantFrom(...NOT_FOLLOWED) },
    ),
    n: fc.nat({ max: 3 }),
    id: fc.constantFrom(1, 1, 1, 1, 1, 0, 2, -1),
    lowest: fc.constantFrom(0, 0, -1, -3),
    ack: fc.boolean(),
    staleEpoch: fc.nat({ max: 15 }).map((n) => n === 0),
    ms: fc.constantFrom(0, 0, 1, 50, 900),
  }),
  { minLength: 5, maxLength: 40, size: 'max' },
)

/** Appends what the step says; sessions are named by their place, and `opened` has their indexes. */
export function take(log: Log, opened: number[], step: Step): void {
  log.advance(step.ms)
  const index = opened[step.session % opened.length] ?? 0
  const facts = log.machine.sessionFacts(index)
  switch (step.kind) {
    case 'open':
      opened.push(log.open(`s${log.entries.length}`, { roles: step.n % 2 === 0 ? ['shipper'] : [] }))
      return
    case 'close':
      log.append('CloseSession', { ...numbers(index), epoch: facts?.epoch ?? 0, secretHash: new Uint8Array(0) })
      return
    case 'attach':
      log.attach(index, step.session === 0 ? 'a' : 'x', { replaces: facts?.epoch ?? 0, nonce: step.n })
      return
    case 'ack':
      log.ack(index, facts?.lastServerRequestId ?? 1)
      return
    case 'keepAlive':
      log.append('KeepAlive', { sessions: [numbers(index)] })
      return
    case 'tick':
    case 'snapshot':
      log.empty(step.kind === 'tick' ? 'Tick' : 'Snapshot')
      if (step.kind === 'snapshot') log.machine.swapDirty()
      return
    case 'request': {
      const requestId = Math.max(1, (facts?.highest ?? 0) + step.id)
      log.requestApplied(index, requestId, step.command, {
        input: step.n,
        lowestPendingRequestId: Math.max(1, requestId + step.lowest),
        ackServerRequests: step.ack ? (facts?.lastServerRequestId ?? 0) : 0,
        epoch: (facts?.epoch ?? 0) + (step.staleEpoch ? 1 : 0),
      })
    }
  }
}

import fc from 'fast-check'
import type { SessionId } from '../../src/base/brand.ts'
import type { Limits } from '../../src/codec/entry/payload.ts'
import type { Value } from '../../src/codec/value/value.ts'
import type { Applied } from '../../src/session/state-machine.ts'
import type { BuildMachine, TaskKind } from '../../src/session/user-machine.ts'
import { type BareMachine, bareMachine, type Handler, number, reject } from './bare-machine.ts'
import { type Log, numbers, secret } from './log.ts'
import { FAILING } from './model-versions.ts'
import { overflowOf, WAIT_COMMANDS, waitOf, WAITS } from './model-waits.ts'

/** What a property test does to a log; sessions are named by their place in the order of opening. */
export type Operation =
  | { kind: 'open'; who: number; timeoutMs: number; refuse: boolean; late: boolean; ordered: boolean }
  | { kind: 'attach'; session: number; stale: boolean; nonce: number }
  | {
      kind: 'request'
      session: number
      id: number
      lowest: number
      ack: number
      epoch: number
      command: string
      n: number
      to: number
      /** Parsed under the version before the active one. */
      outdated: boolean
    }
  | { kind: 'repeat'; back: number }
  | { kind: 'ack'; session: number; upTo: number }
  | { kind: 'keepAlive'; session: number }
  | { kind: 'expire'; stale: boolean }
  | { kind: 'close'; session: number; stale: boolean }
  | { kind: 'retry'; session: number }
  | { kind: 'tick' }
  /** The log switches to versions of machines. */
  | { kind: 'switch'; advances: { machine: string; to: number; other: boolean }[] }
  | { kind: 'advance'; ms: number }

/** Small, so that every limit is reached. */
export const SMALL: Partial<Limits> = {
  windowRequests: 5,
  cachedResponsesMax: 4,
  outboxCountMax: 3,
  sessionsMax: 4,
  tombstoneMs: 400_000,
  mailboxMax: 2,
  taskLeasesMax: 2,
  attemptsMax: 2,
  waits: WAITS,
}

/** Commands that the model knows; `tasks` adds those it does not. */
export const MODELLED = [
  'increment',
  'increment',
  'emit',
  'emitOther',
  'refuse',
  'explode',
  'later',
  'cancel',
  'notify',
  'coalesce',
  'once',
  ...WAIT_COMMANDS,
]
export const ALL = [...MODELLED, 'ask', 'complete', 'fail', 'audit']

/** Names no session. */
const UNKNOWN = 99

export function operations(commands: readonly string[]): fc.Arbitrary<Operation[]> {
  const session = fc.constantFrom(0, 0, 0, 0, 1, 1, 2, 3, 4, UNKNOWN)
  const weighted = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('open' as const),
        who: fc.nat({ max: 5 }),
        timeoutMs: fc.constantFrom(20_000, 30_000),
        refuse: rarely(),
        late: rarely(),
        ordered: rarely(),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('attach' as const),
        session,
        stale: rarely(),
        nonce: fc.nat({ max: 3 }),
      }),
    },
    {
      weight: 14,
      arbitrary: fc.record({
        kind: fc.constant('request' as const),
        session,
        id: fc.constantFrom(-1, 0, 1, 1, 1, 1, 1, 1, 2, 3, 6),
        lowest: fc.constantFrom(-9, -3, -2, -1, 0, 1, 2, 2),
        ack: fc.integer({ min: -6, max: 2 }),
        epoch: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, 1),
        command: fc.constantFrom(...commands),
        n: fc.nat({ max: 3 }),
        to: session,
        outdated: fc.nat({ max: 11 }).map((n) => n === 0),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('repeat' as const), back: fc.nat({ max: 3 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('ack' as const), session, upTo: fc.integer({ min: -1, max: 2 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('keepAlive' as const), session }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const), stale: rarely() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const), session, stale: rarely() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('retry' as const), session }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('tick' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('switch' as const), advances: advances() }) },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.constantFrom(1, 10, 5000, 5000, 40_000) }),
    },
  )
  const first = fc.constant<Operation>({
    kind: 'open',
    who: 0,
    timeoutMs: 30_000,
    refuse: false,
    late: false,
    ordered: false,
  })
  // Sizes of fast-check's own choice are mostly small; these logs must be long enough to fill windows and outboxes.
  const rest = fc.array(weighted, { minLength: 10, maxLength: 50, size: 'max' })
  return fc.tuple(first, rest).map(([opening, others]) => [opening, ...others])
}

function advances(): fc.Arbitrary<{ machine: string; to: number; other: boolean }[]> {
  const advance = fc.record({
    machine: fc.constantFrom('test', 'test', 'test', 'second'),
    to: fc.constantFrom(1, 1, 2, 2, 2, FAILING, 4),
    other: fc.nat({ max: 9 }).map((n) => n === 0),
  })
  return fc.array(advance, { minLength: 1, maxLength: 2 })
}

/** What versions declare; `other`: what a build may have otherwise. */
export const SCHEMAS = { named: 'a'.repeat(64), other: 'b'.repeat(64) } as const

/** What builds may have: most have all that logs switch to, some lack the last version or the first, or one of the other. */
export const builds: fc.Arbitrary<readonly BuildMachine[]> = fc
  .tuple(mostly([1, 2, FAILING, 4], [1, 2, FAILING], [2, FAILING, 4]), mostly([1, 2, FAILING, 4], [1]))
  .map(([test, second]) => [machineOf('test', test), machineOf('second', second)])

function mostly<Value>(usual: Value, ...others: readonly Value[]): fc.Arbitrary<Value> {
  return fc.oneof(
    { weight: 5, arbitrary: fc.constant(usual) },
    ...others.map((other) => ({ weight: 1, arbitrary: fc.constant(other) })),
  )
}

function machineOf(name: string, versions: readonly number[]): BuildMachine {
  return { name, versions: versions.map((version) => ({ version, schema: SCHEMAS.named, code: '' })) }
}

function rarely(): fc.Arbitrary<boolean> {
  return fc.nat({ max: 5 }).map((n) => n === 0)
}

const KIND: TaskKind = { kind: 'k', role: 'r', leaseMs: 20_000, maxAttempts: 2, backoffMs: [5000] }

/**
 * The user machine of the properties; `Model` says the same in its own words. `machines`: what the build has; absent: it
 * takes every version for its own.
 */
export function propertyMachine(machines?: readonly BuildMachine[]): BareMachine {
  return bareMachine(
    {
      increment: ({ state }, input) => {
        const key = `count/${String(input)}`
        state.set(key, number(state.get(key)) + 1)
        return number(state.get(key))
      },
      emit: (context, input) => {
        const own = context.session?.id ?? ('' as SessionId)
        return Array.from({ length: number(input) }, (_, n) => context.emit(own, 'event', n))
      },
      emitOther: (context, input) => context.emit(String(input) as SessionId, 'event', 'hello'),
      coalesce: (context, input) =>
        context.emit(context.session?.id ?? ('' as SessionId), 'state', input, { overflow: 'coalesce', key: 'k' }),
      refuse: (context) => {
        context.state.set('refused', true)
        context.notify('user:0', 'x', 'x')
        context.wait('test', 'w1')
        context.signal('test', 'w1', 'lost')
        return reject('NO', { at: context.index })
      },
      explode: (context) => {
        context.state.set('exploded', true)
        context.signal('test', 'w0', 'lost')
        context.wait('test', 'w0')
        throw new Error('a bug')
      },
      later: (context, input) => {
        context.schedule(
          'test',
          `t${number(input) % 3}`,
          context.now + number(input) * 5000,
          context.session?.id ?? null,
        )
        return null
      },
      cancel: (context, input) => context.cancel('test', `t${number(input) % 3}`),
      notify: (context, input) => {
        context.notify(`user:${number(input)}`, 'news', context.index)
        return null
      },
      once: (context, input) => {
        const result = context.once('s', `k${number(input)}`, 'f', 60_000, () => context.index)
        return 'value' in result ? [result.kind, result.value] : result.kind
      },
      ...waiting(),
      ask: (context) => context.task('test', KIND, '', context.index),
      audit: (context) => {
        context.audit(context.id('a-'))
        context.alert('ODD', context.random())
        return null
      },
    },
    {
      onSessionCreated: (context, session) => {
        context.state.set('created', number(context.state.get('created')) + 1)
        context.emit(session.id, 'welcome', session.name)
        return session.capabilities['refuse'] === true ? reject('REFUSED', session.name) : undefined
      },
      onSessionExpired: (context, session, pending, reason) => {
        context.state.set(
          `ended/${reason}`,
          pending.map((request) => request.serverRequestId),
        )
        context.notify('user:0', 'ended', session.name)
      },
      onTimer: (context, { name, payload }) => {
        context.state.set(`fired/${name}`, context.now)
        context.state.set('heard', context.emit(payload as SessionId, 'fired', name))
        if (name === 't2') throw new Error('a bug')
      },
      onWait: (context, { waitId, key, end, undelivered }) => {
        const { state } = context
        state.set('ends', [...((state.get('ends') ?? []) as Value[]), `${waitId} ${end.kind} ${undelivered}`])
        if (end.kind === 'signalled' && key !== 'w2') context.signal('test', `w${Number(key[1]) + 1}`, end.value, KEPT)
        if (end.kind === 'timedOut' && key === 'w1') context.wait('test', 'w0')
        if (end.kind === 'ownerEnded' && key === 'w2') throw new Error('a bug')
      },
      onDeadLetter: (context, request) => context.state.set('dead', request.serverRequestId),
      onTaskFailed: (context, task, reason) => context.state.set(`failed/${task.taskId}`, reason),
      migrate: (context, machine, { from, to }) => {
        context.state.set('migrated', [machine, from, to])
        context.notify('user:1', 'migrated', to)
        if (to === FAILING) throw new Error('a bug')
      },
      ...(machines === undefined ? {} : { machines }),
    },
  )
}

const KEPT = { retentionMs: 15_000 }

/** The commands that wait and signal, of three keys. */
function waiting(): Record<string, Handler> {
  const waits = ['wait', 'waitHere', 'tellMe', 'waitLong'].map((command): [string, Handler] => [
    command,
    (context, input) => {
      const { owner, deliver, timeoutMs } = waitOf(command, 0)
      const session = owner === null ? null : (context.session?.id ?? null)
      const type = deliver ? { type: 'waited' } : null
      return context.wait('test', `w${number(input) % 3}`, { timeoutMs, owner: session, deliver: type })
    },
  ])
  const signals = ['signal', 'push', 'latest'].map((command): [string, Handler] => [
    command,
    (context, input) =>
      context.signal('test', `w${number(input) % 3}`, input, { ...KEPT, overflow: overflowOf(command) }),
  ])
  const unwait: Handler = (context, input) => context.cancelWait('test', `1-wait-${number(input) + 1}`)
  return { ...Object.fromEntries([...waits, ...signals]), unwait }
}

/** Does one operation to a log, after which its state is whole. Null for one that appends nothing (`advance`). */
export function perform(log: Log, opened: number[], operation: Operation): { applied: Applied } | null {
  const done = append(log, opened, operation)
  log.machine.checkInvariants()
  return done
}

function append(log: Log, opened: number[], operation: Operation): { applied: Applied } | null {
  const { machine } = log
  const indexOf = (place: number): number =>
    place === UNKNOWN ? 999 : (opened[opened.length - 1 - (place % Math.min(opened.length, 5))] ?? 999)
  switch (operation.kind) {
    case 'open': {
      const applied = log.tryOpen(`${operation.who}`, {
        timeoutMs: operation.timeoutMs,
        roles: operation.who % 2 === 0 ? ['r'] : [],
        capabilities: operation.refuse ? { refuse: true } : {},
        validUntil: log.now + (operation.late ? -1 : 1000),
        ordered: operation.ordered,
      })
      if (applied.reply.kind === 'opened' && !applied.reply.existing) opened.push(applied.index)
      return { applied }
    }
    case 'attach': {
      const index = indexOf(operation.session)
      const facts = machine.sessionFacts(index)
      const applied = log.append('AttachSession', {
        ...numbers(index),
        secretHash: facts?.secretHash ?? secret('x'),
        replaces:
          (facts?.epoch ?? 0) - (operation.stale ? 1 : 0) < 0 ? 0 : (facts?.epoch ?? 0) - (operation.stale ? 1 : 0),
        nonce: new Uint8Array(16).fill(operation.nonce),
      })
      return { applied }
    }
    case 'request': {
      const index = indexOf(operation.session)
      const facts = machine.sessionFacts(index)
      const requestId = Math.max(1, (facts?.highest ?? 0) + operation.id)
      const isTask = operation.command === 'complete' || operation.command === 'fail'
      const input = inputOf(operation, indexOf(operation.to))
      // A leader parses under the active version, which may be another one when the entry is applied.
      const active = isTask ? 1 : machine.activeVersion('test')
      const applied = log.requestApplied(index, requestId, operation.command, {
        input,
        machine: isTask ? 'task' : 'test',
        version: Math.max(1, active - (operation.outdated ? 1 : 0)),
        epoch: Math.max(0, (facts?.epoch ?? 0) + operation.epoch),
        lowestPendingRequestId: Math.max(1, requestId + operation.lowest - 2),
        // Mostly none; 1 is the last id, 2 one that was never given.
        ackServerRequests: operation.ack <= 0 ? 0 : (facts?.lastServerRequestId ?? 0) + operation.ack - 1,
      })
      return { applied }
    }
    case 'repeat': {
      const requests = log.entries.filter(({ kind }) => kind === 'ClientRequest')
      const entry = requests[requests.length - 1 - operation.back]
      return entry === undefined ? null : { applied: log.raw('ClientRequest', entry.payload) }
    }
    case 'ack': {
      const index = indexOf(operation.session)
      const upTo = Math.max(1, (machine.sessionFacts(index)?.lastServerRequestId ?? 0) + operation.upTo - 1)
      const epoch = machine.sessionFacts(index)?.epoch ?? 0
      return { applied: log.append('ServerRequestAck', { ...numbers(index), epoch, serverRequestId: upTo }) }
    }
    case 'keepAlive':
      return { applied: log.append('KeepAlive', { sessions: [numbers(indexOf(operation.session)), numbers(998)] }) }
    case 'expire': {
      const overdue = machine.overdueSessions({ lease: log.lease, readySince: 0 }, 2)
      const sessions = overdue.map(({ index, renewedAtIndex }) => ({
        ...numbers(index),
        renewedAtIndex: renewedAtIndex - (operation.stale ? 1 : 0),
      }))
      return { applied: log.append('ExpireSessions', { sessions }) }
    }
    case 'close': {
      const index = indexOf(operation.session)
      const epoch = Math.max(0, (machine.sessionFacts(index)?.epoch ?? 0) - (operation.stale ? 1 : 0))
      return { applied: log.append('CloseSession', { ...numbers(index), epoch, secretHash: new Uint8Array(0) }) }
    }
    case 'retry':
      return { applied: log.append('RetryServerRequests', { sessions: [numbers(indexOf(operation.session))] }) }
    case 'tick':
      return { applied: log.empty('Tick') }
    case 'switch': {
      const machines = operation.advances.map(({ machine: name, to, other }) => {
        return { machine: name, to, schema: other ? SCHEMAS.other : SCHEMAS.named }
      })
      return { applied: log.append('AdvanceVersion', { machines }) }
    }
    case 'advance':
      log.advance(operation.ms)
      return null
  }
}

function inputOf(operation: Extract<Operation, { kind: 'request' }>, to: number): Value {
  if (operation.command === 'emitOther') return `0/1/${to}`
  if (operation.command === 'complete')
    return { taskId: `1-task-${operation.n}`, attempt: 1 + (operation.to % 2), result: operation.n }
  if (operation.command === 'fail')
    return { taskId: `1-task-${operation.n}`, attempt: 1 + (operation.to % 2), reason: 'x' }
  return operation.n
}

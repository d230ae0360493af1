import fc from 'fast-check'
import type { Limits } from '../../src/codec/entry/payload.ts'
import type { Value } from '../../src/codec/value/value.ts'
import type { Applied } from '../../src/session/state-machine.ts'
import type { BuildMachine } from '../../src/session/user-machine.ts'
import { type Log, numbers, secret } from './log.ts'
import { isWorker, saysOfTask, TASK_COMMANDS, wordOf } from './model/tasks.ts'
import { FAILING, OWN, TASKS } from './model/versions.ts'
import { WAIT_COMMANDS, WAITS } from './model/waits.ts'
import { PLAN_COMMANDS, type PlanOperation, planOperations, soberCommand, stepsOf } from './planning.ts'
import { sayThatSkipped, type SkipOperation, withSkips } from './skipping.ts'

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
  | { kind: 'evict'; session: number }
  | { kind: 'move'; move: 'redrive' | 'discard'; letters: number[] }
  /** An operator changes limits; `stale`: of limits that are not in force any more. */
  | { kind: 'limits'; stale: boolean; changes: Partial<Limits> }
  /** The log switches to versions of machines. */
  | { kind: 'switch'; advances: { machine: string; to: number; other: boolean }[] }
  | { kind: 'advance'; ms: number }
  | PlanOperation
  /** That operation, with parts of its entry that are not run. */
  | { kind: 'skipping'; parts: string[]; of: Operation }
  | SkipOperation

/** Small, so that every limit is reached. */
export const SMALL: Partial<Limits> = {
  windowRequests: 5,
  cachedResponsesMax: 4,
  outboxCountMax: 3,
  sessionsMax: 4,
  tombstoneMs: 400_000,
  mailboxMax: 2,
  taskLeasesMax: 2,
  taskQueueMs: 45_000,
  attemptsMax: 2,
  waits: WAITS,
}

/** Commands that the model knows. */
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
  ...TASK_COMMANDS,
  'ask',
  'complete',
  'planSkip',
  'planOther',
  'unplan',
]
const PLANNED = [...PLAN_COMMANDS, ...PLAN_COMMANDS, 'increment', 'later', 'refuse', 'explode', 'waitHere']
export const ALL = [...MODELLED, 'audit']

/** Names no session. */
const UNKNOWN = 99

/**
 * Random logs over those commands. `skips`: none, or parts of entries are not run, and entries say so of what was skipped, or
 * also of what was run.
 */
export function operations(
  commands: readonly string[],
  skips: 'none' | 'remembered' | 'any' = 'none',
): fc.Arbitrary<Operation[]> {
  const usual = fc.oneof({ weight: 20, arbitrary: anyOperation(commands) }, { weight: 1, arbitrary: planOperations })
  const rest = skips === 'none' ? list(usual) : fc.oneof(list(usual), withSkips(usual, list, skips === 'any'))
  const deaths = fc.constantFrom(
    [],
    [],
    DYING,
    [...DYING, COALESCED, ...DYING, COALESCED, REDRIVE],
    [...DYING, FILLING, REDRIVE],
  )
  return fc.tuple(deaths, rest).map(([dying, others]) => [OPENING, ...dying, ...others])
}

/** Random logs that are mostly of schedules. */
export function planOfOperations(): fc.Arbitrary<Operation[]> {
  const planned = fc.oneof(
    { weight: 1, arbitrary: anyOperation(PLANNED) },
    { weight: 4, arbitrary: soberRequest(PLANNED) },
    { weight: 6, arbitrary: planOperations },
    { weight: 5, arbitrary: clock },
  )
  return fc.oneof(list(planned), withSkips(planned, list, false)).map((others) => [OPENING, ...others])
}

/** Sizes of fast-check's own choice are mostly small; these logs must be long enough to fill windows and outboxes. */
export function list(one: fc.Arbitrary<Operation>): fc.Arbitrary<Operation[]> {
  return fc.array(one, { minLength: 10, maxLength: 50, size: 'max' })
}

export const OPENING: Operation = {
  kind: 'open',
  who: 0,
  timeoutMs: 30_000,
  refuse: false,
  late: false,
  ordered: false,
}

/** A command of the first session that nothing keeps from being run. */
function soberRequest(commands: readonly string[]): fc.Arbitrary<Operation> {
  const command = fc.constantFrom(...commands)
  return fc.tuple(command, fc.nat({ max: 3 })).map(([name, n]) => soberCommand(name, n))
}

export const clock = fc.record({
  kind: fc.constant('advance' as const),
  ms: fc.constantFrom(1, 10, 5000, 5000, 40_000),
})

export function anyOperation(commands: readonly string[]): fc.Arbitrary<Operation> {
  const session = fc.constantFrom(0, 0, 0, 0, 1, 1, 2, 3, 4, UNKNOWN)
  return fc.oneof<fc.WeightedArbitrary<Operation>[]>(
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
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('evict' as const), session }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('move' as const),
        move: fc.constantFrom('redrive' as const, 'redrive' as const, 'discard' as const),
        letters: fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('limits' as const), stale: rarely(), changes: limitChanges() }),
    },
    {
      weight: 3,
      arbitrary: clock,
    },
  )
}

/** The first request that waits for the first session runs out of its attempts. */
const DYING: readonly Operation[] = [
  { kind: 'advance', ms: 40_000 },
  { kind: 'retry', session: 0 },
  { kind: 'advance', ms: 100_000 },
  { kind: 'retry', session: 0 },
]

/** One that a newer one of its key replaces. */
const COALESCED: Operation = soberCommand('coalesce')
const FILLING: Operation = soberCommand('emit', 3)
const REDRIVE: Operation = { kind: 'move', move: 'redrive', letters: [2, 1] }

/** Lower and higher than what `SMALL` begins with, and than what may be there by then. */
function limitChanges(): fc.Arbitrary<Partial<Limits>> {
  return fc.record(
    {
      windowRequests: fc.constantFrom(2, 5, 9),
      cachedResponsesMax: fc.constantFrom(1, 4, 6),
      outboxCountMax: fc.constantFrom(1, 3, 5),
      sessionsMax: fc.constantFrom(1, 4, 6),
      mailboxMax: fc.constantFrom(1, 2),
      taskLeasesMax: fc.constantFrom(1, 3),
      taskQueueMs: fc.constantFrom(8000, 45_000),
      tombstoneMs: fc.constantFrom(300_000, 400_000),
    },
    { requiredKeys: [] },
  )
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
        roles: isWorker(operation.who) ? ['r'] : [],
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
      const isTask = saysOfTask(operation.command)
      const input = inputOf(operation, indexOf(operation.to))
      // A leader parses under the active version, which may be another one when the entry is applied.
      const active = isTask ? 1 : machine.activeVersion('test')
      const applied = log.requestApplied(index, requestId, operation.command, {
        input,
        machine: isTask ? TASKS : 'test',
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
    case 'evict':
      return { applied: log.append('EvictSession', { ...numbers(indexOf(operation.session)), note: 'why' }) }
    case 'move':
      return { applied: log.append('MoveDeadLetters', { move: operation.move, letters: operation.letters }) }
    case 'limits': {
      const { changedAt = 0, ...present } = machine.limits
      const basedOn = changedAt + (operation.stale ? 1 : 0)
      return { applied: log.append('Limits', { ...present, ...operation.changes, basedOn }) }
    }
    case 'switch': {
      const machines = operation.advances.map(({ machine: name, to, other }) => {
        return { machine: name, to, schema: name === OWN ? '' : other ? SCHEMAS.other : SCHEMAS.named }
      })
      return { applied: log.append('AdvanceVersion', { machines }) }
    }
    case 'advance':
      log.advance(operation.ms)
      return null
    case 'propose':
    case 'operate':
      return { applied: log.append('ScheduleNext', { steps: stepsOf(log, operation) }) }
    case 'skipping': {
      log.skipNext = operation.parts
      const done = append(log, opened, operation.of)
      log.skipNext = []
      return done
    }
    case 'skip':
      return sayThatSkipped(log, operation)
  }
}

function inputOf(operation: Extract<Operation, { kind: 'request' }>, to: number): Value {
  if (operation.command === 'emitOther') return `0/1/${to}`
  if (saysOfTask(operation.command)) return wordOf(operation.command, operation.n, operation.to)
  return operation.n
}

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Value } from '../../../src/codec/value/value.ts'
import { ApplyHalt } from '../../../src/session/run/halt.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import type { Applied, Reply } from '../../../src/session/state-machine.ts'
import type { BuildMachine } from '../../../src/session/user-machine.ts'
import { sample } from '../../effort.ts'
import { codec, Log, swapped } from '../log.ts'
import { builds, MODELLED, type Operation, operations, perform, planOfOperations, SMALL } from '../operations.ts'
import { propertyMachine } from '../property-machine.ts'
import { taskOperations } from '../task-operations.ts'
import { compareState } from './compare.ts'
import { Model } from './model.ts'
import { translate } from './translate.ts'
import { type ModelBuild, OWN } from './versions.ts'

/** Some ten seconds on an idle core; a minute and more where many share it. */
const PATIENCE_MS = 300_000

test(
  'the implementation gives every reply, delivery, outbox, schedule, task and row that the reference model gives',
  () => {
    fc.assert(agreement(new Map()), { numRuns: sample(60) })
    fc.assert(agreement(new Map(), planOfOperations()), { numRuns: sample(30) })
    fc.assert(agreement(new Map(), taskOperations()), { numRuns: sample(30) })
  },
  PATIENCE_MS,
)

test(
  'the same for a known seed, which reaches every refusal and halt: agreement over refused commands alone would prove little',
  () => {
    const seen = new Map<string, number>()
    fc.assert(agreement(seen), { numRuns: 150, seed: 3 })
    fc.assert(agreement(seen, planOfOperations()), { numRuns: 50, seed: 4 })
    fc.assert(agreement(seen, taskOperations()), { numRuns: 100, seed: 6 })
    expect(EXPECTED.filter((label) => !seen.has(label))).toEqual([])
  },
  PATIENCE_MS,
)

/** What is compared: a log of this machine with the model, at the end with all that the log has opened and stored. */
interface Run {
  readonly log: Log
  readonly model: Model
  readonly opened: number[]
  /** As a snapshot of the last entry holds them. */
  readonly rows: Map<string, Value>
  readonly build: readonly BuildMachine[]
}

type Drawn = [Operation[], readonly BuildMachine[], number[]]

/** Every state is restored from its rows and compared as well; at some entries the log goes on with the restored one. */
function agreement(seen: Map<string, number>, logs = operations(MODELLED, 'any')): fc.IPropertyWithHooks<Drawn> {
  const restarts = fc.uniqueArray(fc.nat({ max: 40 }), { maxLength: 4 })
  return fc.property(logs, builds, restarts, (steps, build, restartedAt) => {
    const log = new Log(propertyMachine(build), SMALL)
    const model = new Model(log.machine.limits, modelBuild(build))
    model.now = log.now
    const run: Run = { log, model, opened: [], rows: new Map(), build }
    store(run)
    for (const [at, step] of steps.entries()) {
      compareStep(run, step, seen)
      if (model.versions.halted !== null) break
      const restored = restore(run)
      compareState(restored, run.rows, model, run.opened)
      if (restartedAt.includes(at)) log.machine = restored
    }
    countEnds(model, seen)
  })
}

/** What came of waits, schedules and versions by the end. */
function countEnds({ all, versions, parts }: Model, seen: Map<string, number>): void {
  if (all.alerts.has('MIGRATION_FAILED')) count(seen, 'MIGRATION_FAILED')
  if (versions.active('test') > 1) count(seen, 'switched')
  for (const end of (all.user.get('ends') ?? []) as string[]) count(seen, end.split(' ').slice(1).join(' '))
  for (const ran of (all.user.get('ran') ?? []) as string[])
    count(
      seen,
      `ran ${ran.endsWith(' ') ? '' : 'in place of others '}${ran.includes('true') ? 'late' : 'by the clock'}`,
    )
  for (const { overlap, skipped, failed, missed, waiting, backfills, stop } of all.schedules.values()) {
    const happened = { skipped, failed, missed, waiting: waiting.length, backfills: backfills.length, [`${stop}`]: 1 }
    for (const [what, times] of Object.entries(happened)) if (times > 0) count(seen, `schedule ${what}`)
    count(seen, `schedule ${overlap}`)
  }
  for (const { status, attempt, given, answer } of all.tasks.all) {
    count(seen, `task ${status}`)
    if (attempt > 1) count(seen, 'second attempt')
    if (!given) count(seen, 'task never given')
    if (answer !== null) count(seen, 'task answered')
  }
  for (const [key, row] of all.user)
    if (/^(done|failed)./.test(key)) count(seen, `task ${key.startsWith('done') ? '' : 'failed: '}${row}`)
  for (const part of parts.passed) count(seen, `${part.split(/[ @]/)[0]} passed over`)
  if (parts.remembered.some(({ told }) => told)) count(seen, 'skipped and told')
}

function modelBuild(build: readonly BuildMachine[]): ModelBuild {
  const user = build.map(({ name, versions }): [string, Map<number, string>] => [
    name,
    new Map(versions.map(({ version, schema }) => [version, schema])),
  ])
  const own = new Map([1, 2, 3, 4].map((version) => [version, '']))
  return new Map([...user, [OWN, own]])
}

const EXPECTED = [
  'value',
  'replayed',
  'NO',
  'MACHINE_ERROR',
  'OUTBOX_FULL',
  'SESSION_UNKNOWN',
  'SESSION_EXPIRED',
  'FENCED',
  'INVALID',
  'RESPONSE_EVICTED',
  'REQUEST_CONFLICT',
  'WINDOW_EXCEEDED',
  'OUT_OF_ORDER',
  'RESPONSE_BACKLOG',
  'INVALID_ACK',
  'OPEN_CONFLICT',
  'OPEN_TOO_LATE',
  'CLIENT_SESSION_CLOSED',
  'TOO_MANY_SESSIONS',
  'ATTACH_CONFLICT',
  'OPEN_REJECTED',
  'opened',
  'attached',
  'acknowledged',
  'closed',
  'VERSION_CHANGED',
  'switched',
  'MIGRATION_FAILED',
  'LIMITS_CHANGED',
  'redriven',
  'discarded',
  'unknown',
  'sessionEnded',
  'newerWaits',
  'wasRedriven',
  'wasDiscarded',
  'outboxFull',
  'MACHINE_MISSING',
  'MACHINE_DIFFERS',
  'signalled false',
  'timedOut false',
  'ownerEnded false',
  'ownerEnded true',
  'step taken',
  'step stale',
  'ran by the clock',
  'ran late',
  'ran in place of others by the clock',
  ...['skip', 'bufferOne', 'bufferAll', 'allowAll', 'cancelOther'].map((overlap) => `schedule ${overlap}`),
  ...['skipped', 'failed', 'missed', 'waiting', 'backfills', 'never'].map((what) => `schedule ${what}`),
  'SKIPPED',
  'SKIP_MISSED',
  ...['command', 'timer', 'schedule', 'migration', 'afterReject'].map((part) => `${part} passed over`),
  ...['onSessionCreated', 'onSessionExpired', 'onDeadLetter', 'wait'].map((part) => `${part} passed over`),
  'skipped and told',
  'FORBIDDEN',
  'STALE_TASK',
  'VALIDATION_ERROR',
  'duplicate',
  ...['QUEUED', 'LEASED', 'DONE', 'FAILED', 'CANCELLED', 'never given', 'answered'].map((end) => `task ${end}`),
  'second attempt',
  ...['done', 'cancels'].map((verdict) => `task ${verdict}`),
  ...['WORKER_LOST', 'QUEUE_DEADLINE', 'x', 'INVALID_RESULT'].map((reason) => `task failed: ${reason}`),
  ...['task', 'test'].map((part) => `${part} passed over`),
]

function compareStep(run: Run, step: Operation, seen: Map<string, number>): void {
  const { log, model, opened } = run
  const before = { hash: log.machine.stateHash(), entries: log.entries.length }
  const done = performOrHalt(log, opened, step)
  if (done === null) return
  const entry = log.entries[before.entries]
  if (entry === undefined) throw new Error('an entry was appended')
  const translated = translate(step, entry)
  const halts = model.halts(translated)
  expect(done instanceof ApplyHalt ? done.code : null).toBe(model.versions.halted)
  if (done instanceof ApplyHalt || halts) {
    // The entry has changed nothing.
    expect(log.machine.stateHash()).toBe(before.hash)
    count(seen, String(model.versions.halted))
    return
  }
  const expected = model.apply(translated, entry, log.skipped.get(entry.index))
  const { reply, deliver, ended } = done.applied
  // The details of OPEN_TOO_LATE are two times that the model does not know.
  expect(reply.kind === 'refused' && reply.code === 'OPEN_TOO_LATE' ? { ...reply, details: null } : reply).toEqual(
    expected,
  )
  expect([...deliver].sort()).toEqual([...model.deliver].sort())
  expect(ended).toEqual(model.ended)
  store(run)
  compareState(log.machine, run.rows, model, opened)
  countReply(reply, seen)
}

function countReply(reply: Reply, seen: Map<string, number>): void {
  const label =
    reply.kind === 'refused'
      ? reply.code
      : reply.kind !== 'outcome'
        ? reply.kind
        : reply.replayed
          ? 'replayed'
          : reply.outcome.kind === 'value'
            ? 'value'
            : reply.outcome.code
  count(seen, label)
  if (JSON.stringify(reply).includes('"SKIPPED"')) count(seen, 'SKIPPED')
  if (JSON.stringify(reply).includes('"duplicate"')) count(seen, 'duplicate')
  if (reply.kind === 'moved') for (const outcome of reply.outcomes) count(seen, outcome)
  if (reply.kind === 'scheduled') for (const taken of reply.done) count(seen, taken ? 'step taken' : 'step stale')
}

function performOrHalt(log: Log, opened: number[], step: Operation): { applied: Applied } | ApplyHalt | null {
  try {
    return perform(log, opened, step)
  } catch (error) {
    if (error instanceof ApplyHalt) return error
    throw error
  }
}

function count(seen: Map<string, number>, label: string): void {
  seen.set(label, (seen.get(label) ?? 0) + 1)
}

function store({ log, rows }: Run): void {
  for (const [key, row] of swapped(log.machine)) {
    if (row === undefined) rows.delete(key)
    else rows.set(key, row)
  }
}

/** Another machine, from the rows of the last entry. */
function restore({ log, rows, build }: Run): SessionStateMachine {
  const machine = new SessionStateMachine(propertyMachine(build), codec)
  for (const [key, row] of rows) machine.restoreRow(key, codec.decodeValue(codec.encodeValue(row)))
  const { index = 0, lease = 0, now = 0 } = log.entries.at(-1) ?? {}
  machine.restored({ index, term: 1, lease, now })
  expect(machine.stateHash()).toBe(log.machine.stateHash())
  return machine
}

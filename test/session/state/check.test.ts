import type { Value } from '../../../src/codec/value/value.ts'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ReplicatedState } from '../../../src/session/state/replicated-state.ts'
import { SessionRecord } from '../../../src/session/clients/session-record.ts'
import { sessionId } from '../../../src/base/brand.ts'
import type { MachineContext, TaskKind } from '../../../src/session/user-machine.ts'
import { FAMILY } from '../../../src/session/rows/row-keys.ts'
import type { OutboxRow } from '../../../src/session/rows/session-rows.ts'
import type { DueTimer } from '../../../src/session/tables/due-timer.ts'
import type { WaiterRow } from '../../../src/session/tables/wait-rows.ts'
import type { WaitQueue } from '../../../src/session/tables/waits.ts'
import { bareMachine, counterHandlers } from '../bare-machine.ts'
import { Log } from '../log.ts'

const KIND: TaskKind = { kind: 'k', role: 'r', leaseMs: 20_000, maxAttempts: 2, backoffMs: [5000] }

/** A state with sessions, workers, cached responses, server requests, tasks, timers and an audit record. */
function world() {
  const machine = bareMachine({
    ...counterHandlers,
    ask: (context: MachineContext) => context.task('test', KIND, '', null),
    askNobody: (context: MachineContext) => context.task('test', { ...KIND, role: 'nobody' }, '', null),
    audit: (context: MachineContext) => {
      context.audit('said')
      context.schedule('test', 'later', context.now + 60_000, null)
      return null
    },
    wait: (context: MachineContext) => {
      const owner = context.session?.id ?? null
      context.signal('test', 'kept', 1)
      context.signal('test', 'kept', 2)
      return [1, 2].map(() => context.wait('test', 'k', { owner, timeoutMs: 70_000 }))
    },
    until: (context: MachineContext) => {
      const own = context.session
      return own !== null && context.emit(own.id, 'event', null, { deadlineAt: context.now + 50_000 })
    },
  })
  const log = new Log(machine)
  const index = log.open('a')
  log.open('w', { roles: ['r'] })
  const commands = ['increment', 'emit', 'until', 'ask', 'askNobody', 'ask', 'audit', 'wait']
  commands.forEach((command, at) => {
    log.request(index, at + 1, command)
  })
  log.request(log.entries.length, 1, 'increment')
  log.open('idle', { roles: ['r', 'r'] })
  log.open('idler', { roles: ['r'] })
  const { state } = log.machine as unknown as { state: ReplicatedState }
  const session = state.sessions.at(index)
  const worker = state.sessions.at(index + 1)
  const task = state.tasks.find('1-task-1')
  const queued = state.tasks.find('1-task-2')
  if (session === null || worker === null) throw new Error('the sessions live')
  if (task?.status !== 'LEASED' || queued?.status !== 'QUEUED') throw new Error('one task is leased, one waits')
  return { log, state, session, worker, task: task as Mutable<typeof task>, queued: queued as Mutable<typeof queued> }
}

type World = ReturnType<typeof world>
type Mutable<Record> = { -readonly [Field in keyof Record]: Record[Field] }
const row = (session: SessionRecord) => session.row as Mutable<SessionRecord['row']>

/** For each sentence of the list, named by words that no other one has, what breaks it. */
const PLANTED: [string, (world: World) => void][] = [
  ['running hash', ({ state }) => (state.hash.low = -1)],
  ['bytesSinceBoundary', ({ state }) => (state.bytesSinceBoundary = state.limits.snapshotBytes + 1)],
  [
    'names parts of entries',
    ({ state }) => (state.skipped = [{ index: state.index + 1, part: 'command', told: false }]),
  ],
  ['swapped together', ({ state }) => state.userRows.swap(state.index)],
  ['heap of timers', ({ state }) => state.timers['heap'].remove(timer(state, LATER))],
  ['heap of timers', ({ state }) => state.dictionary.delete(timer(state, LATER).key)],
  ['heap of timers', ({ state }) => state.dictionary.set(timer(state, LATER).key, { ...timer(state, LATER).row })],
  ['heap of timers', ({ state }) => (timer(state, LATER).dueAt += 1)],
  ['heap of timers', ({ state }) => (timer(state, LATER).position += 1)],
  ['heap of timers', ({ state }) => (timer(state, LATER).stored = null)],
  ['heap of timers', ({ state }) => state.timers['forget'](timer(state, LATER))],
  ['heap of timers', ({ state }) => exchange(timer(state, LEASE), timer(state, LATER), state)],
  ['heap of timers', ({ state }) => exchange(timer(state, LEASE), timer(state, SAME_TIME), state)],
  ['the first timer', ({ state }) => (state.now += 60_000)],
  ['limits is', ({ state }) => (state.limits = { ...state.limits })],
  ['limits is', ({ state }) => state.dictionary.delete(FAMILY.limits)],
  ['rows of versions', ({ state }) => state.versions['rows'].set('test', { version: 2, schema: '' })],
  ['rows of versions', ({ state }) => setVersionRow(state, 2)],
  ['rows of versions', ({ state }) => changeVersion(state, 3)],
  ['rows of versions', ({ state }) => changeVersion(state, { version: 2, schema: 'b' })],
  ['audit records', ({ state }) => (state.audit.first += 1)],
  ['audit records', ({ state }) => state.dictionary.set(auditKey(state, (state.audit.first = 0)), null)],
  ['audit records', ({ state }) => (state.audit.next += 1)],
  ['deadLetters remembers', ({ state }) => (state.deadLetters.moved = [[state.deadLetters.next, 'wasRedriven']])],
  ['deadLetters knows', ({ state }) => state.dictionary.set(state.keys.row(FAMILY.deadLetter, 1), null)],
  ['audit records', ({ state }) => state.dictionary.set(auditKey(state, 2), null)],
  ['audit records', ({ state }) => missAudit(state)],
  ['a session is live', ({ session }) => (session.live = false)],
  ['a session is live', ({ session }) => (row(session).secret = 'another')],
  ['has no tombstone', ({ state, session }) => state.tombstones.add(tombstone(session))],
  ['no mail waits', ({ state }) => post(state, 'user:a')],
  ['renewedAtIndex in', ({ state, session }) => (session.row.renewedAtIndex = state.index + 1)],
  ['renewedAtIndex in', ({ session }) => (session.row.renewedAtIndex = session.row.index - 1)],
  ['renewedAtIndex in', ({ session }) => (session.row.epoch = 1)],
  ['renewedAtIndex in', ({ state, session }) => (session.row.epoch = state.index + 1)],
  ['renewedAtIndex in', ({ state, session }) => (session.deliveredAt = state.index + 1)],
  ['renewedLease is', ({ state, session }) => (session.row.renewedLease = state.lease + 1)],
  ['renewedLease is', ({ state, session }) => (session.row.resentAt = state.now + 1)],
  ['cached responses rise', ({ session }) => (session.row.floor = 2)],
  ['cached responses rise', ({ session }) => (session.row.highest = 6)],
  ['cachedBytes', ({ session }) => (session.row.cachedBytes += 1)],
  ['server requests rise', ({ session }) => (session.row.acknowledged = 1)],
  ['server requests rise', ({ session }) => (session.row.lastId = 1)],
  ['previousId is', ({ session }) => (session.row.tailId = 0)],
  ['outboxBytes', ({ session }) => (session.row.outboxBytes -= 1)],
  ['nextDeadline', ({ session }) => session.page.outbox.push(followUp(session, 1))],
  ['leases counts', ({ session }) => (session.leases += 1)],
  ['workers of a role', ({ state, worker }) => state.sessions.workers.remove(worker)],
  ['workers of a role', ({ state }) => levels(state).unshift({ indexes: [], workers: [] })],
  ['workers of a role', ({ state, session }) => place(state, 0, 0, session)],
  ['workers of a role', ({ state, session }) => replaceFirst(state, session)],
  ['workers of a role', ({ state, worker }) => place(state, 2, 1, worker)],
  ['workers of a role', ({ state }) => reverse(state, 0)],
  ['workers of a role', ({ state }) => (level(state, 0).indexes[1] = 1000)],
  ['workers of a role', ({ state }) => level(state, 0).indexes.push(1000)],
  ['workers of a role', ({ state, worker }) => (level(state, 2).workers[0] = copyOf(worker))],
  ['heldRows', ({ state }) => (state.heldRows += 1)],
  ['shortestTimeout', ({ session }) => (row(session).terms = { ...session.row.terms, timeoutMs: 1 })],
  ['next expiry', ({ state }) => state.expiry['heap'].retain(() => false)],
  ['tasks.open counts', ({ state }) => (state.tasks.open += 1)],
  ['every row of a task', ({ state }) => state.dictionary.set(state.keys.row(FAMILY.task, 99), null)],
  ['a task is the value', ({ state }) => (state.tasks.next = 1)],
  ['a task is the value', ({ state, task }) => state.dictionary.set(taskKey(state, task), { ...task })],
  ['a task is the value', ({ state, task }) => rename(state, task)],
  ['leased exactly', ({ task }) => (task.leaseUntil = null)],
  ['leased exactly', ({ task }) => (task.assignedTo = null)],
  ['leased exactly', ({ queued, worker }) => (queued.assignedTo = worker.row.info.id)],
  ['leased exactly', ({ queued }) => (queued.assignedTo = DEAD)],
  ['leased exactly', ({ task }) => (task.assignedTo = DEAD)],
  ['closed exactly', ({ task }) => (task.closedAt = 1)],
  ['closed exactly', ({ task }) => (task.until = 1)],
  ['a timer lease', ({ state, task }) => state.timers.remove('task', `lease:${task.taskId}`)],
  ['a timer lease', ({ state, queued }) => state.timers.remove('task', `queue:${queued.taskId}`)],
  ['a timer lease', ({ queued }) => (queued.backingOff = true)],
  ['waits and kept', ({ state }) => (state.waits.next = 2)],
  ['waits and kept', ({ state }) => state.dictionary.delete(state.keys.row(FAMILY.wait, 'test', 'k', 3))],
  ['waits and kept', ({ state }) => state.dictionary.set(state.keys.row(FAMILY.signal, 'test', 'k', 9), null)],
  ['waits and kept', ({ state }) => queue(state, 'k').waiters.reverse()],
  ['waits and kept', ({ state }) => queue(state, 'kept').signals.reverse()],
  [
    'waits and kept',
    ({ state }) => state.dictionary.set(state.keys.row(FAMILY.wait, 'test', 'k', 3), { ...wait(state) }),
  ],
  ['both a waiter', ({ state }) => moveSignals(state)],
  ['both a waiter', ({ state }) => state.waits['queueOf']('test', 'empty')],
  ['a wait is found', ({ state }) => state.waits['byId'].delete('1-wait-3')],
  ['a wait is found', ({ state }) => state.waits['byId'].set('other', wait(state))],
  ['a wait is found', ({ state, session }) => state.waits['byOwner'].delete(session.row.info.id)],
  [
    'a wait is found',
    ({ state, session }) => state.waits['byOwner'].set(DEAD, state.waits['byOwner'].get(session.row.info.id) ?? []),
  ],
  ['a wait has a timer', ({ state }) => state.timers.remove('task', 'wait:1-wait-3')],
  [
    'no end of a wait',
    ({ state }) => state.waits['ended'].push({ waiter: wait(state), end: { kind: 'timedOut' }, depth: 1 }),
  ],
]

const LATER = ['test', 'later'] as const
const LEASE = ['task', 'lease:1-task-1'] as const
/** Due at the same time as LEASE, after it by its key. */
const SAME_TIME = ['task', 'lease:1-task-3'] as const
/** No session has it. */
const DEAD = sessionId(0, 1, 1000)

function timer(state: ReplicatedState, [machine, name]: readonly [string, string]): DueTimer {
  const found = state.timers['find'](machine, name)
  if (found === undefined) throw new Error('the timer is armed')
  return found
}

/** Each takes the other's place in the heap. */
function exchange(one: DueTimer, other: DueTimer, state: ReplicatedState): void {
  const heap = state.timers['heap']['timers']
  const { position } = one
  one.position = other.position
  other.position = position
  heap.set(one.position, one)
  heap.set(other.position, other)
}

function queue(state: ReplicatedState, key: string): WaitQueue {
  const found = state.waits.peek('test', key)
  if (found === null) throw new Error('the key has waiters or signals')
  return found
}

function wait(state: ReplicatedState): WaiterRow {
  const found = state.waits.find('1-wait-3')
  if (found === null) throw new Error('it waits')
  return found
}

/** The waiters' key has the kept signals as well, rows and all. */
function moveSignals(state: ReplicatedState): void {
  const { signals } = queue(state, 'kept')
  for (const signal of signals.splice(0)) {
    const row = { ...signal, key: 'k' }
    state.dictionary.delete(state.keys.row(FAMILY.signal, 'test', 'kept', row.number))
    state.dictionary.set(state.keys.row(FAMILY.signal, 'test', 'k', row.number), row)
    queue(state, 'k').signals.push(row)
  }
  state.waits['discard'](queue(state, 'kept'))
}

const taskKey = (state: ReplicatedState, { number }: { number: number }) => state.keys.row(FAMILY.task, number)
const auditKey = (state: ReplicatedState, number: number) => state.keys.row(FAMILY.audit, number)

/** Keeps the number of records, the first and the last: one between is missing, one is after them. */
function missAudit(state: ReplicatedState): void {
  for (let more = 0; more < 2; more += 1) state.audit.append({ index: 1, now: 1, record: null })
  state.dictionary.delete(auditKey(state, 2))
  state.dictionary.set(auditKey(state, 4), null)
}

/** The row says something else than what was set. */
function changeVersion(state: ReplicatedState, row: Value): void {
  state.versions.set('test', 2, 'a')
  setVersionRow(state, row)
}

function setVersionRow(state: ReplicatedState, row: Value): void {
  state.dictionary.set(state.keys.row(FAMILY.version, 'test'), row)
}

/** The task is found by another id. */
function rename(state: ReplicatedState, task: World['task']): void {
  state.tasks['byId'].delete(task.taskId)
  state.tasks['byId'].set('another', task)
}

/** The workers of the role `r`. */
function levels(state: ReplicatedState) {
  const found = state.sessions.workers['byRole'].get('r')
  if (found === undefined) throw new Error('workers have the role')
  return found
}

function level(state: ReplicatedState, leases: number) {
  const found = levels(state)[leases]
  if (found === undefined) throw new Error('workers have so many leases')
  return found
}

function place(state: ReplicatedState, leases: number, at: number, session: SessionRecord): void {
  const { indexes, workers } = level(state, leases)
  indexes.splice(at, 0, session.row.index)
  workers.splice(at, 0, session)
}

/** In the place of a worker without leases, one that has not the role. */
function replaceFirst(state: ReplicatedState, session: SessionRecord): void {
  const { indexes, workers } = level(state, 0)
  indexes[0] = session.row.index
  workers[0] = session
}

function reverse(state: ReplicatedState, leases: number): void {
  const { indexes, workers } = level(state, leases)
  indexes.reverse()
  workers.reverse()
}

/** Another object with the same rows and leases. */
function copyOf(session: SessionRecord): SessionRecord {
  const copy = new SessionRecord(session.row)
  copy.leases = session.leases
  return copy
}

function tombstone({ row: { index, secret, terms } }: SessionRecord) {
  const { group, incarnation } = terms
  return { group, incarnation, index, secret, at: 0, reason: 'closed', until: Number.MAX_SAFE_INTEGER } as const
}

function post(state: ReplicatedState, principal: string): void {
  const seq = state.principals.nextSeq(principal, Number.MAX_SAFE_INTEGER)
  state.principals.post(principal, { topic: '', body: null, seq, at: 0 }, 1)
}

/** A request with a deadline of its own, for which all sums of the session and the chain are kept right. */
function followUp({ outbox, row }: SessionRecord, deadlineAt: number): OutboxRow {
  const last = outbox[outbox.length - 1]
  if (last === undefined) throw new Error('requests wait')
  const request = { ...last, serverRequestId: row.lastId + 1, previousId: row.lastId, deadlineAt }
  row.lastId += 1
  row.tailId += 1
  row.outboxBytes += request.bytes
  return request as OutboxRow
}

/** The sentences that check.ts crashes with, in their order. */
function asserted(): string[] {
  const text = source('check.ts')
  return [...text.matchAll(/\bassert\([^']*?'([^']*)'/g)].map((match) => match[1] ?? '')
}

/** The bullets of the comment that stands before `ReplicatedState`. */
function listed(): string[] {
  const before = source('replicated-state.ts').split('export class ReplicatedState ')[0] ?? ''
  const comment = before.slice(before.lastIndexOf('/**'))
  const lines = comment.replace(/\n \* {3}/g, ' ').split('\n')
  return lines.flatMap((line) => (line.startsWith(' * - ') ? [line.slice(5).replaceAll('`', '')] : []))
}

const source = (file: string): string =>
  readFileSync(join(import.meta.dirname, '../../../src/session/state', file), 'utf8')

describe('the invariants of the replicated state', () => {
  test('that ReplicatedState lists are those that check.ts asserts', () => {
    expect(asserted()).toHaveLength(38)
    expect(listed()).toEqual(asserted())
  })

  test('have a planted breach each', () => {
    const named = PLANTED.map(([words]) => asserted().filter((sentence) => sentence.includes(words)))
    expect(named.filter((sentences) => sentences.length !== 1)).toEqual([])
    expect(new Set(named.flat())).toEqual(new Set(asserted()))
  })

  test('hold in a state with something of everything', () => {
    const { state, session } = world()
    expect([session.responses.length, session.outbox.length, state.tasks.open]).toEqual([8, 2, 3])
    expect([state.timers.size, levels(state).map(({ indexes }) => indexes.length)]).toEqual([6, [2, 0, 1]])
    expect(timer(state, SAME_TIME).dueAt).toBe(timer(state, LEASE).dueAt)
    expect(state.dictionary.has(auditKey(state, 1))).toBe(true)
  })

  test('hold without limits only while they are those from before entry 2', () => {
    const { machine } = new Log(bareMachine(counterHandlers), null)
    machine.checkInvariants()
  })

  test('are checked on an outbox longer than a call has room for arguments', () => {
    const { log, state, session } = world()
    for (let more = 0; more < 200_000; more += 1) session.addRequest(followUp(session, 2_000_000_000_000 + more))
    state.heldRows += 200_000
    log.machine.checkInvariants()
  })

  test.each(PLANTED)('are found broken: %s', (words, plant) => {
    const planted = world()
    planted.log.machine.checkInvariants()
    plant(planted)
    const sentence = asserted().find((one) => one.includes(words))
    expect(sentence).toBeDefined()
    expect(() => planted.log.machine.checkInvariants()).toThrow(sentence)
  })
})

import { describe, expect, test } from 'vitest'
import type { ReplicatedState } from '../../../src/session/state/replicated-state.ts'
import type { SessionRecord } from '../../../src/session/clients/session-record.ts'
import type { MachineContext, TaskKind } from '../../../src/session/user-machine.ts'
import { FAMILY } from '../../../src/session/rows/row-keys.ts'
import type { Heap } from '../../../src/base/heap.ts'
import { bareMachine, counterHandlers } from '../bare-machine.ts'
import { Log } from '../log.ts'

const KIND: TaskKind = { kind: 'k', role: 'r', leaseMs: 20_000, maxAttempts: 2, backoffMs: [5000] }

/** A state with two sessions, cached responses, server requests, tasks of every status, a timer and an audit record. */
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
    until: (context: MachineContext) => {
      const own = context.session
      return own !== null && context.emit(own.id, 'event', null, { deadlineAt: context.now + 50_000 })
    },
  })
  const log = new Log(machine)
  const index = log.open('a')
  log.open('w', { roles: ['r'] })
  const commands = ['increment', 'emit', 'until', 'ask', 'askNobody', 'ask', 'audit']
  commands.forEach((command, at) => {
    log.request(index, at + 1, command)
  })
  log.request(log.entries.length, 1, 'increment')
  const { state } = log.machine as unknown as { state: ReplicatedState }
  const session = state.sessions.at(index)
  if (session === null) throw new Error('the session lives')
  const task = state.tasks.find('1-task-1')
  if (task === null) throw new Error('the task is there')
  return { log, state, session, task: task as { -readonly [Field in keyof typeof task]: (typeof task)[Field] } }
}

type World = ReturnType<typeof world>
type Mutable<Record> = { -readonly [Field in keyof Record]: Record[Field] }
const row = (session: SessionRecord) => session.row as Mutable<SessionRecord['row']>

/** For each sentence of the list, what breaks it. */
const PLANTED: [string, (world: World) => void][] = [
  ['running hash', ({ state }) => (state.hash.low = -1)],
  ['bytesSinceBoundary', ({ state }) => (state.bytesSinceBoundary = state.limits.snapshotBytes + 1)],
  ['swapped together', ({ state }) => state.userRows.swap(state.index)],
  ['the first timer', ({ state }) => (state.now += 60_000)],
  ['limits and versions', ({ state }) => state.versions.set('test', 2)],
  ['limits and versions', ({ state }) => (state.limits = { ...state.limits })],
  ['audit records', ({ state }) => (state.audit.first += 1)],
  ['a session is live', ({ session }) => (session.live = false)],
  ['a session is live', ({ session }) => (row(session).secret = 'another')],
  ['has no tombstone', ({ state, session }) => state.tombstones.add(tombstone(session))],
  ['no mail waits', ({ state }) => post(state, 'user:a')],
  ['names of the log', ({ state, session }) => (session.row.renewedAtIndex = state.index + 1)],
  ['names of the log', ({ session }) => (session.row.epoch = 1)],
  ['names of the clocks', ({ state, session }) => (session.row.renewedLease = state.lease + 1)],
  ['cached responses rise', ({ session }) => (session.row.floor = 2)],
  ['cached responses rise', ({ session }) => (session.row.highest = 6)],
  ['cachedBytes', ({ session }) => (session.row.cachedBytes += 1)],
  ['server requests rise', ({ session }) => (session.row.acknowledged = 1)],
  ['server requests rise', ({ session }) => (session.row.lastId = 1)],
  ['previousId and tailId', ({ session }) => (session.row.tailId = 0)],
  ['outboxBytes', ({ session }) => (session.row.outboxBytes -= 1)],
  ['nextDeadline', ({ session }) => session.page.outbox.push(overdue(session))],
  ['leases counts', ({ session }) => (session.leases += 1)],
  ['heldRows', ({ state }) => (state.heldRows += 1)],
  ['shortestTimeout', ({ session }) => (row(session).timeoutMs = 1)],
  ['next expiry', ({ state }) => forgetDeadlines(state)],
  ['open counts', ({ state }) => (state.tasks.open += 1)],
  ['a task has its row', ({ state }) => (state.tasks.next = 1)],
  ['has a live worker', ({ task }) => (task.leaseUntil = null)],
  ['a closed task', ({ task }) => (task.closedAt = 1)],
  ['timers of its state', ({ state, task }) => state.timers.remove('task', `lease:${task.taskId}`)],
]

function forgetDeadlines({ expiry }: ReplicatedState): void {
  const { heap } = expiry as unknown as { heap: Heap<unknown> }
  heap.retain(() => false)
}

function tombstone({ row: { group, incarnation, index, secret } }: SessionRecord) {
  return { group, incarnation, index, secret, at: 0, reason: 'closed', until: Number.MAX_SAFE_INTEGER } as const
}

function post(state: ReplicatedState, principal: string): void {
  const seq = state.principals.nextSeq(principal, Number.MAX_SAFE_INTEGER)
  state.principals.post(principal, { topic: '', body: null, seq, at: 0 }, 1)
}

/** A request with a deadline of its own, for which all sums and the chain are kept right. */
function overdue(session: SessionRecord) {
  const last = session.outbox[session.outbox.length - 1]
  if (last === undefined) throw new Error('requests wait')
  const request = { ...last, serverRequestId: session.row.lastId + 1, previousId: session.row.lastId, deadlineAt: 1 }
  session.row.lastId += 1
  session.row.tailId += 1
  session.row.outboxBytes += request.bytes
  return request as typeof last
}

describe('the invariants of the replicated state', () => {
  test('hold in a state with something of everything', () => {
    const { state, session } = world()
    expect([session.responses.length, session.outbox.length, state.tasks.open]).toEqual([7, 2, 3])
    expect(state.dictionary.has(`${FAMILY.audit}${state.codec.keyPart(1)}`)).toBe(true)
  })

  test.each(PLANTED)('are found broken: %s', (sentence, plant) => {
    const planted = world()
    planted.log.machine.checkInvariants()
    plant(planted)
    expect(() => planted.log.machine.checkInvariants()).toThrow(sentence)
  })
})

import { assert } from '../../base/assert.ts'
import type { SessionRecord } from '../clients/session-record.ts'
import { rowValue } from '../rows/dictionary.ts'
import { FAMILY } from '../rows/row-keys.ts'
import { isOpen, TASK_MACHINE, type TaskRow } from '../tables/tasks.ts'
import type { ReplicatedState } from './replicated-state.ts'

/**
 * Asserts the invariants that stand over `ReplicatedState`, one assertion for each of its sentences, in their order. They
 * hold after every entry and after a restore. It reads the whole state but the rows of user machines: for tests and the
 * simulator. What is kept lazily is brought up to date by it, which changes nothing that anybody sees.
 */
export function checkReplicatedState(state: ReplicatedState): void {
  checkScalars(state)
  checkTables(state)
  for (const session of state.sessions.all()) {
    checkRegistration(state, session)
    checkResponses(session)
    checkOutbox(session)
    checkLeases(state, session)
  }
  checkSessions(state)
  for (const task of state.tasks.all()) checkTask(state, task)
}

function checkScalars(state: ReplicatedState): void {
  const { index, hash, dictionary, userRows, limits, bytesSinceBoundary: bytes } = state
  const { high, low } = hash
  assert(high >>> 0 === high && low >>> 0 === low, 'the running hash is two words in [0, 2^32)', { index, high, low })
  assert(bytes >= 0 && bytes <= limits.snapshotBytes, 'bytesSinceBoundary is in [0, snapshotBytes]', { index, bytes })
  const together = dictionary.generation === userRows.generation && dictionary.swappedAt === userRows.swappedAt
  const { swappedAt } = dictionary
  assert(together && swappedAt >= 0 && swappedAt <= index, 'both halves of the dictionary were swapped together', {
    index,
    swappedAt,
  })
}

function checkTables(state: ReplicatedState): void {
  const { index, now, dictionary, keys, timers, audit, limits, versions } = state
  const due = timers.nextDue()
  assert(due === null || due > now, 'the first timer is due in (now, ∞)', { index, due, now })
  const kept = dictionary.get(FAMILY.limits)
  const same = [...versions].every(([machine, to]) => dictionary.get(keys.row(FAMILY.version, machine)) === to)
  assert((kept === undefined || kept === rowValue(limits)) && same, 'limits and versions are what their rows say', {
    index,
  })
  const { first, next } = audit
  const has = (number: number): boolean => dictionary.has(keys.row(FAMILY.audit, number))
  const ends = first >= 1 && first <= next && !has(first - 1) && !has(next)
  assert(ends && (first === next || (has(first) && has(next - 1))), 'audit records are numbered [first, next)', {
    index,
    first,
    next,
  })
}

function checkRegistration(state: ReplicatedState, session: SessionRecord): void {
  const { index, lease, now, sessions, tombstones, principals } = state
  const { row } = session
  const peers = sessions.ofPrincipal(row.info.principal)
  const found =
    sessions.at(row.index) === session &&
    sessions.findBySecret(row.secret) === session &&
    (Array.isArray(peers) ? peers.includes(session) : peers === session)
  assert(found && session.live, 'a session is live, and found by index, secret and principal', {
    index,
    row: row.index,
  })
  assert(tombstones.find(row) === null, 'a session has no tombstone', { index, row: row.index })
  const waiting = principals.find(row.info.principal)?.waiting ?? 0
  assert(waiting === 0, 'no mail waits for the principal of a session', { index, row: row.index, waiting })
  const { epoch, renewedAtIndex, renewedLease, resentAt } = row
  const indexes = row.index <= renewedAtIndex && renewedAtIndex <= index && epoch <= index
  const known = indexes && row.index >= 1 && (epoch === 0 || epoch > row.index) && session.deliveredAt <= index
  assert(known, 'what a session names of the log lies in [its index, index]', { index, row: row.index, epoch })
  assert(renewedLease <= lease && resentAt <= now, 'what a session names of the clocks has been', {
    index,
    row: row.index,
    renewedLease,
    resentAt,
  })
}

function checkResponses({ row, responses }: SessionRecord): void {
  const { index, floor, highest, cachedBytes } = row
  const ids = responses.map(({ requestId }) => requestId)
  const inside = ids.every((id, at) => id > (ids[at - 1] ?? floor - 1) && id <= highest)
  assert(floor >= 1 && inside, 'cached responses rise within [floor, highest]', { row: index, floor, highest, ids })
  const bytes = sum(responses)
  assert(cachedBytes === bytes, 'cachedBytes is the sum over the cached responses', { row: index, cachedBytes, bytes })
}

function checkOutbox(session: SessionRecord): void {
  const { row, outbox } = session
  const { index, acknowledged, lastId, tailId, outboxBytes } = row
  const ids = outbox.map(({ serverRequestId }): number => serverRequestId)
  const inside = ids.every((id, at) => id > (ids[at - 1] ?? acknowledged) && id <= lastId)
  assert(acknowledged >= 0 && acknowledged <= lastId && inside, 'server requests rise within (acknowledged, lastId]', {
    row: index,
    acknowledged,
    lastId,
    ids,
  })
  const named = [...outbox.map(({ previousId }) => previousId), tailId]
  const chained = named.every((id, at) => (at === 0 ? id >= 0 && id <= acknowledged : id === ids[at - 1]))
  assert(chained, 'previousId and tailId name the request before, or one in [0, acknowledged]', {
    row: index,
    ids,
    named,
  })
  const bytes = sum(outbox)
  assert(outboxBytes === bytes, 'outboxBytes is the sum over the server requests', { row: index, outboxBytes, bytes })
  const deadlines = outbox.flatMap(({ deadlineAt }) => (deadlineAt === null ? [] : [deadlineAt]))
  const deadline = deadlines.length === 0 ? null : Math.min(...deadlines)
  assert(session.nextDeadline() === deadline, 'nextDeadline is the earliest of what waits', { row: index, deadline })
}

function checkLeases({ tasks }: ReplicatedState, { row, leases }: SessionRecord): void {
  const held = tasks.leasedTo(row.info.id).length
  assert(leases === held, 'leases counts the tasks leased to the session', { row: row.index, leases, held })
}

function checkSessions({ index, sessions, expiry, heldRows, tasks }: ReplicatedState): void {
  const all = [...sessions.all()]
  const held = all.reduce((rows, { responses, outbox }) => rows + responses.length + outbox.length, 0)
  assert(heldRows === held, 'heldRows counts the responses and server requests of all sessions', {
    index,
    heldRows,
    held,
  })
  const shortest = all.length === 0 ? null : Math.min(...all.map(({ row }) => row.timeoutMs))
  assert(sessions.shortestTimeout() === shortest, 'shortestTimeout is that of a live session', { index, shortest })
  const due = all.length === 0 ? null : Math.min(...all.map(({ row }) => row.renewedLease + row.timeoutMs))
  assert(expiry.next() === due, 'the next expiry is that of the session with the earliest deadline', { index, due })
  const open = [...tasks.all()].filter(isOpen).length
  assert(tasks.open === open, 'open counts the tasks that are queued or leased', { index, open, counted: tasks.open })
}

function checkTask(state: ReplicatedState, task: TaskRow): void {
  const { dictionary, keys, sessions, tasks } = state
  const { taskId, number, status, assignedTo, leaseUntil, closedAt, until } = task
  const stored = dictionary.has(keys.row(FAMILY.task, number)) && tasks.find(taskId) === task
  assert(number >= 1 && number < tasks.next && stored, 'a task has its row, and a number in [1, next)', {
    taskId,
    number,
  })
  const leased = status === 'LEASED'
  const worker = assignedTo === null ? null : sessions.findById(assignedTo)
  assert(leased === (worker !== null) && leased === (leaseUntil !== null), 'a leased task has a live worker', {
    taskId,
  })
  const open = isOpen(task)
  assert(open === (closedAt === null) && open === (until === null), 'a closed task has its end', { taskId, status })
  const has = (purpose: string): boolean => dictionary.has(keys.row(FAMILY.timer, TASK_MACHINE, `${purpose}:${taskId}`))
  const armed =
    has('lease') === leased && has('backoff') === task.backingOff && has('queue') === (open && !task.everLeased)
  assert(armed, 'an open task has the timers of its state and no others', { taskId, status })
}

function sum(items: readonly { readonly bytes: number }[]): number {
  return items.reduce((total, { bytes }) => total + bytes, 0)
}

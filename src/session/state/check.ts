import { assert } from '../../base/assert.ts'
import type { Millis } from '../../base/brand.ts'
import type { SessionRecord } from '../clients/session-record.ts'
import { type Dictionary, rowValue } from '../rows/dictionary.ts'
import { FAMILY } from '../rows/row-keys.ts'
import { MOVED_MAX } from '../tables/dead-letters.ts'
import { isOpen, TASK_MACHINE, type TaskRow } from '../tables/tasks.ts'
import { WAIT_TIMER } from '../tables/wait-rows.ts'
import { readVersion } from '../tables/versions.ts'
import { checkSchedules } from './check-schedules.ts'
import { LIMITS_BEFORE_ENTRY_TWO, type ReplicatedState } from './replicated-state.ts'

/**
 * Asserts the invariants that `ReplicatedState` lists, in the words of that list and in its order. They hold after every
 * entry and after a restore. It reads the whole state but the rows of user machines, O(rows + sessions + tasks): for tests
 * and the simulator. What is kept lazily is brought up to date by it, which changes nothing that anybody sees. An index
 * shows its users less than what is asserted of it, so its private lists are read here, by their names in brackets.
 */
export function checkReplicatedState(state: ReplicatedState): void {
  const rows = countRows(state.dictionary)
  checkScalars(state)
  checkTables(state, rows)
  for (const session of state.sessions.all()) {
    checkRegistration(state, session)
    checkResponses(session)
    checkOutbox(session)
    checkLeases(state, session)
  }
  checkSessions(state)
  checkTasks(state, rows)
  for (const task of state.tasks.all()) checkTask(state, task)
  checkWaits(state, rows)
  checkSchedules(state, rows.schedule)
}

/** Rows of the families that are compared both ways: no table row without its entry, and no entry without its row. */
interface RowCounts {
  readonly version: number
  readonly timer: number
  readonly audit: number
  readonly task: number
  /** Of waits and of kept signals together. */
  readonly wait: number
  readonly dead: number
  readonly schedule: number
}

function countRows(dictionary: Dictionary): RowCounts {
  const counts = { version: 0, timer: 0, audit: 0, task: 0, wait: 0, dead: 0, schedule: 0 }
  for (const { key, value } of dictionary['rows'].values()) {
    if (value === undefined) continue
    if (key.startsWith(FAMILY.timer)) counts.timer += 1
    else if (key.startsWith(FAMILY.task)) counts.task += 1
    else if (key.startsWith(FAMILY.wait) || key.startsWith(FAMILY.signal)) counts.wait += 1
    else if (key.startsWith(FAMILY.schedule)) counts.schedule += 1
    else if (key.startsWith(FAMILY.audit)) counts.audit += 1
    else if (key.startsWith(FAMILY.version)) counts.version += 1
    else if (key.startsWith(FAMILY.deadLetter)) counts.dead += 1
  }
  return counts
}

function checkScalars(state: ReplicatedState): void {
  const { index, hash, dictionary, userRows, limits, bytesSinceBoundary: bytes } = state
  const { high, low } = hash
  assert(high >>> 0 === high && low >>> 0 === low, 'the running hash is two words in [0, 2^32)', { index, high, low })
  assert(bytes >= 0 && bytes <= limits.snapshotBytes, 'bytesSinceBoundary is in [0, limits.snapshotBytes]', {
    index,
    bytes,
  })
  const { skipped } = state
  const inOrder = skipped.every((part, at) => part.index >= (skipped[at - 1]?.index ?? 1) && part.index <= index)
  assert(inOrder, 'skipped names parts of entries in [1, index], by rising index', { index, skipped: skipped.length })
  const together = dictionary.generation === userRows.generation && dictionary.swappedAt === userRows.swappedAt
  const { swappedAt } = dictionary
  assert(
    together && swappedAt >= 0 && swappedAt <= index,
    'both halves of the dictionary were swapped together, at an index in [0, index]',
    { index, swappedAt },
  )
}

function checkTables(state: ReplicatedState, rows: RowCounts): void {
  const { index, now, dictionary, keys, timers, audit, limits, versions, deadLetters } = state
  const due = timers.nextDue()
  assert(
    isTimerHeap(state, rows.timer),
    'the heap of timers holds exactly those of the rows, ordered by (dueAt, key), and each is found by its name',
    { index, heap: timers.size, rows: rows.timer },
  )
  assert(due === null || due > now, 'the first timer is due in (now, ∞)', { index, due, now })
  const kept = dictionary.get(FAMILY.limits)
  assert(
    kept === undefined ? limits === LIMITS_BEFORE_ENTRY_TWO : kept === rowValue(limits),
    'limits is the value of its row; without one, the constant that stands before entry 2',
    { index },
  )
  const same = [...versions.all()].every(([machine, { version, schema }]) => {
    const row = dictionary.get(keys.row(FAMILY.version, machine))
    const stored = row === undefined ? null : readVersion(row)
    return stored?.version === version && stored.schema === schema
  })
  assert(same && versions.size === rows.version, 'versions holds exactly what the rows of versions say', {
    index,
    versions: versions.size,
    rows: rows.version,
  })
  const { first, next } = audit
  let numbered = first >= 1 && rows.audit === next - first
  for (let number = first; numbered && number < next; number += 1) {
    numbered = dictionary.has(keys.row(FAMILY.audit, number))
  }
  assert(numbered, 'the audit records kept are those numbered [audit.first, audit.next), and 1 ≤ first ≤ next', {
    index,
    first,
    next,
    rows: rows.audit,
  })
  const letters = deadLetters.after(0, Number.MAX_SAFE_INTEGER)
  const known = letters.every(({ letter }) => letter >= 1 && letter < deadLetters.next)
  assert(
    known && letters.length === rows.dead,
    'deadLetters knows exactly the rows of dead letters, numbered in [1, deadLetters.next)',
    { index, letters: letters.length, rows: rows.dead, next: deadLetters.next },
  )
  const { moved } = deadLetters
  const gone = moved.every(([letter]) => letter < deadLetters.next && deadLetters.find(letter) === null)
  assert(
    gone && moved.length <= MOVED_MAX && new Set(moved.map(([letter]) => letter)).size === moved.length,
    'deadLetters remembers of at most MOVED_MAX letters that they were moved, each once, and none is there',
    { index, moved: moved.length, next: deadLetters.next },
  )
}

function isTimerHeap({ dictionary, timers }: ReplicatedState, rows: number): boolean {
  const heap = [...timers['heap']['timers']]
  return (
    heap.length === rows &&
    heap.every((timer, at) => {
      const { key, machine, name, row, stored, dueAt } = timer
      const above = heap[(at - 1) >>> 1]
      const ordered = above === undefined || above.dueAt < dueAt || (above.dueAt === dueAt && above.key < key)
      const isRow = row !== null && row.dueAt === dueAt && dictionary.get(key) === rowValue(row)
      const found = timers['find'](machine, name) === timer && dictionary.find(key) === stored
      return timer.position === at && ordered && isRow && found
    })
  )
}

function checkRegistration(state: ReplicatedState, session: SessionRecord): void {
  const { index, lease, now, sessions, tombstones, principals } = state
  const { row } = session
  const peers = sessions.ofPrincipal(row.info.principal)
  const found =
    sessions.at(row.index) === session &&
    sessions.findBySecret(row.secret) === session &&
    (Array.isArray(peers) ? peers.includes(session) : peers === session)
  assert(
    found && session.live,
    'a session is live, and found by its index, by its secret, and among those of its principal',
    { index, row: row.index },
  )
  assert(tombstones.find({ ...row.terms, index: row.index }) === null, 'a session has no tombstone', {
    index,
    row: row.index,
  })
  const waiting = principals.find(row.info.principal)?.waiting ?? 0
  assert(waiting === 0, 'no mail waits for the principal of a session', { index, row: row.index, waiting })
  const { epoch, renewedAtIndex, renewedLease, resentAt } = row
  const { deliveredAt } = session
  const indexes = row.index >= 1 && row.index <= renewedAtIndex && renewedAtIndex <= index && deliveredAt <= index
  assert(
    indexes && (epoch === 0 || (epoch > row.index && epoch <= index)),
    'a session’s index is ≥ 1, its renewedAtIndex in [its index, index], its epoch 0 or in (its index, index], its deliveredAt ≤ index',
    { index, row: row.index, renewedAtIndex, epoch, deliveredAt },
  )
  assert(renewedLease <= lease && resentAt <= now, 'a session’s renewedLease is ≤ lease, its resentAt ≤ now', {
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
  assert(floor >= 1 && inside, 'cached responses rise by requestId within [floor, highest], and floor ≥ 1', {
    row: index,
    floor,
    highest,
    ids,
  })
  const bytes = sum(responses)
  assert(cachedBytes === bytes, 'cachedBytes is the sum over the cached responses', { row: index, cachedBytes, bytes })
}

function checkOutbox(session: SessionRecord): void {
  const { row, outbox } = session
  const { index, acknowledged, lastId, tailId, outboxBytes } = row
  const ids = outbox.map(({ serverRequestId }): number => serverRequestId)
  const inside = ids.every((id, at) => id > (ids[at - 1] ?? acknowledged) && id <= lastId)
  assert(
    acknowledged >= 0 && acknowledged <= lastId && inside,
    'server requests rise by serverRequestId within (acknowledged, lastId], and 0 ≤ acknowledged ≤ lastId',
    { row: index, acknowledged, lastId, ids },
  )
  const named = [...outbox.map(({ previousId }) => previousId), tailId]
  const chained = named.every((id, at) => (at === 0 ? id >= 0 && id <= acknowledged : id === ids[at - 1]))
  assert(
    chained,
    'previousId is the id of the server request before, tailId that of the last; with none before, an id in [0, acknowledged]',
    { row: index, ids, named },
  )
  const bytes = sum(outbox)
  assert(outboxBytes === bytes, 'outboxBytes is the sum over the server requests', { row: index, outboxBytes, bytes })
  const deadline = least(outbox.map(({ deadlineAt }) => deadlineAt))
  assert(session.nextDeadline() === deadline, 'nextDeadline is the earliest deadline of what waits, null without one', {
    row: index,
    deadline,
  })
}

function checkLeases({ tasks }: ReplicatedState, { row, leases }: SessionRecord): void {
  const held = tasks.leasedTo(row.info.id).length
  assert(leases === held, 'leases counts the tasks leased to the session', { row: row.index, leases, held })
}

function checkSessions(state: ReplicatedState): void {
  const { index, sessions, expiry, heldRows } = state
  const all = [...sessions.all()]
  assert(
    isIndexOfWorkers(state),
    'the workers of a role are the sessions that have it, each once, at the level of its leases, in the order of their indexes',
    { index },
  )
  const held = all.reduce((rows, { responses, outbox }) => rows + responses.length + outbox.length, 0)
  assert(heldRows === held, 'heldRows counts the cached responses and server requests of all sessions', {
    index,
    heldRows,
    held,
  })
  const shortest = least(all.map(({ row }) => row.terms.timeoutMs))
  assert(
    sessions.shortestTimeout() === shortest,
    'shortestTimeout is the least timeoutMs of a session, null without sessions',
    { index, shortest },
  )
  const due = least(all.map(({ row }) => expiry.dueOf(row)))
  assert(expiry.next() === due, 'the next expiry is the least lease at which a session is due, null without sessions', {
    index,
    due,
  })
}

/** As many places as there are sessions for each of their roles, and at every place one of them: so each has its own. */
function isIndexOfWorkers({ sessions }: ReplicatedState): boolean {
  let places = 0
  for (const [role, levels] of sessions.workers['byRole']) {
    for (const [leases, { indexes, workers }] of levels.entries()) {
      const placed = workers.every((worker, at) => {
        const { index, info } = worker.row
        const rises = index === indexes[at] && index > (indexes[at - 1] ?? 0)
        return rises && worker.leases === leases && sessions.at(index) === worker && info.roles.includes(role)
      })
      if (!placed || indexes.length !== workers.length) return false
      places += workers.length
    }
  }
  let roles = 0
  for (const { row } of sessions.all()) roles += new Set(row.info.roles).size
  return places === roles
}

function checkTasks({ index, tasks }: ReplicatedState, rows: RowCounts): void {
  const all = [...tasks.all()]
  const open = all.filter(isOpen).length
  assert(tasks.open === open, 'tasks.open counts the tasks that are queued or leased', {
    index,
    open,
    counted: tasks.open,
  })
  assert(all.length === rows.task, 'every row of a task has its task', { index, tasks: all.length, rows: rows.task })
}

function checkTask(state: ReplicatedState, task: TaskRow): void {
  const { dictionary, keys, sessions, tasks } = state
  const { taskId, number, status, assignedTo, leaseUntil, closedAt, until } = task
  const stored = dictionary.get(keys.row(FAMILY.task, number)) === rowValue(task) && tasks.find(taskId) === task
  assert(
    number >= 1 && number < tasks.next && stored,
    'a task is the value of its row, found by its taskId, and has a number in [1, tasks.next)',
    { taskId, number },
  )
  const leased = status === 'LEASED'
  const worker = assignedTo === null ? null : sessions.findById(assignedTo)
  const assigned = leased === (assignedTo !== null) && leased === (worker !== null)
  assert(
    assigned && leased === (leaseUntil !== null),
    'a task is leased exactly when it has assignedTo, which names a live session, and leaseUntil',
    { taskId, status, assignedTo, leaseUntil },
  )
  const open = isOpen(task)
  assert(
    open === (closedAt === null) && open === (until === null),
    'a task is closed exactly when it has closedAt and until',
    { taskId, status },
  )
  const has = (purpose: string): boolean => dictionary.has(keys.row(FAMILY.timer, TASK_MACHINE, `${purpose}:${taskId}`))
  const armed = has('lease') === leased && has('backoff') === task.backingOff && has('queue') === (open && !leased)
  assert(
    armed,
    'a task has a timer lease exactly while leased, backoff exactly while backing off, queue exactly while open and not leased',
    { taskId, status },
  )
}

function checkWaits(state: ReplicatedState, rows: RowCounts): void {
  const { index, dictionary, keys, sessions, timers, waits } = state
  const queues = [...waits['queues'].values()]
  const held = queues.reduce((sum, { waiters, signals }) => sum + waiters.length + signals.length, 0)
  const same = queues.every(({ parts, waiters, signals }) =>
    (
      [
        [FAMILY.wait, waiters],
        [FAMILY.signal, signals],
      ] as const
    ).every(([family, list]) =>
      list.every((row, at) => {
        const { machine, key, number } = row
        const rises = number > (list[at - 1]?.number ?? 0) && number < waits.next
        const stored = dictionary.get(keys.row(family, machine, key, number)) === rowValue(row)
        return rises && stored && parts === keys.row('', machine, key)
      }),
    ),
  )
  assert(
    same && held === rows.wait,
    'waits and kept signals are exactly those of the rows, each of its key, in the order of their numbers in [1, waits.next)',
    { index, held, rows: rows.wait },
  )
  const either = queues.every(({ waiters, signals }) => waiters.length > 0 !== signals.length > 0)
  assert(either, 'no key has both a waiter and a kept signal, and none is held that has neither', { index })
  const waiters = queues.flatMap((queue) => queue.waiters)
  const owned = waiters.filter(({ owner }) => owner !== null).length
  const listed = [...waits['byOwner'].values()].reduce((sum, list) => sum + list.length, 0)
  const found = waiters.every((row) => {
    const { waitId, owner } = row
    if (waits.find(waitId) !== row) return false
    return owner === null || (sessions.findById(owner) !== null && waits['byOwner'].get(owner)?.includes(row) === true)
  })
  assert(
    found && waits.size === waiters.length && listed === owned,
    'a wait is found by its waitId and among those of its owner, which names a live session',
    { index, waiters: waiters.length, size: waits.size, owned, listed },
  )
  const timed = waiters.every(({ waitId, dueAt }) => {
    return (timers['find'](TASK_MACHINE, WAIT_TIMER + waitId)?.row?.dueAt ?? null) === dueAt
  })
  assert(timed, 'a wait has a timer wait, due at its dueAt, exactly when it has one', { index })
  assert(waits.allDelivered, 'no end of a wait is left to be delivered', { index })
}

function sum(items: readonly { readonly bytes: number }[]): number {
  return items.reduce((total, { bytes }) => total + bytes, 0)
}

/** The earliest of the times that are given, or null. A loop: `Math.min` takes no more arguments than the stack holds. */
function least(times: readonly (Millis | null)[]): Millis | null {
  let earliest: Millis | null = null
  for (const time of times) if (time !== null && (earliest === null || time < earliest)) earliest = time
  return earliest
}

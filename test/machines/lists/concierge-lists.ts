import assert from 'node:assert/strict'
import type { Value } from '../../../src/codec/value/value.ts'
import type { MachineDefinition, TableViews } from '../../../src/machine/index.ts'
import { IDLE_MS } from '../../../src/machines/concierge/facts/concierge-bounds.ts'
import { nextBoundary } from '../../../src/machines/concierge/rules/guards.ts'
import { concierge, type ConciergeMemory, route } from '../../../src/machines/index.ts'
import { WALL_START_MS } from '../../../src/sim/world/simulated-clock.ts'
import type { CheckStep, Waiting } from '../../../src/testing/index.ts'
import { ADMIN, C7, D8, DAY, EVENT, HOUR, MINUTE, STANDARD } from '../concierge/world.ts'
import { type MachineLists, stepOf } from './machine-lists.ts'

const ALL = { limit: 10_000 }
const CODES = ['NOT_FOUND', 'FORBIDDEN', 'CONFLICT', 'VALIDATION_ERROR', 'INVALID_STATE_TRANSITION']
const CAUSES = ['MESSAGE_RECEIVED', 'EVENT_REGISTERED', 'EVENT_ENDED', 'SESSION_END', 'BOUNDARY']

type Tables = TableViews<typeof concierge.schema>

/** Hours from the beginning of the lists: of the day, the begin, the end. */
const span = (day: number, from: number, to: number) => ({
  dayStartsAt: WALL_START_MS + day * HOUR,
  startsAt: WALL_START_MS + from * HOUR,
  endsAt: WALL_START_MS + to * HOUR,
  dayEndsAt: WALL_START_MS + (to + 1) * HOUR,
})
const SPANS = [span(0, 0, 1), span(0, 0.25, 2), span(0.25, 1, 3), span(0.5, 0.5, 0.75), span(24, 25, 26)]
const EVENTS = ['a', 'b']
const about = [C7, D8].flatMap((contractorId) => EVENTS.map((eventId) => ({ contractorId, eventId })))
// Most of it happens to the first conversation.
const ids = ['con-1', 'con-1', 'con-1', 'con-2']

/** Inputs that mean something to two conversations. */
export const CONCIERGE_INPUTS: { readonly [name: string]: readonly Value[] } = {
  open: [C7, C7, D8].flatMap((contractorId) => ['web', 'app'].map((sessionKey) => ({ contractorId, sessionKey }))),
  message: ids.map((id) => ({ id, text: 'hello' })),
  end: ids.map((id) => ({ id })),
  // Rarely: what is gone is not talked with any more.
  destroy: [...ids, ...Array.from({ length: 15 }, () => 'con-9')].map((id) => ({ id })),
  registerEvent: about.flatMap((one) => SPANS.map((times) => ({ ...one, name: 'n', ...times }))),
  updateEventStatus: about.flatMap((one) =>
    ['checked_in', 'attending', 'attending', 'completed', 'cancelled', 'no_show'].map((status) => ({ ...one, status })),
  ),
  updateEventContext: about.flatMap((one) => [
    ...SPANS.map((times) => ({ ...one, ...times })),
    { ...one, endsAt: WALL_START_MS },
  ]),
  endEvent: EVENTS.map((eventId) => ({ eventId })),
  state: ids.map((id) => ({ id })),
  currentAgent: ids.map((id) => ({ id })),
  history: ids.map((id) => ({ id })),
  registrations: [C7, D8].map((contractorId) => ({ contractorId })),
  audit: [C7, D8].map((contractorId) => ({ contractorId })),
  'agent.run.standard': [{ reply: 'yes' }, { reply: '' }],
  'agent.run.event': [{ reply: 'yes' }, { reply: '' }],
}

const [soon, today, later] = SPANS
const a = { contractorId: C7, eventId: 'a' }
const open = stepOf(C7, 'open', { contractorId: C7, sessionKey: 'web' })
const talk = stepOf(C7, 'message', { id: 'con-1', text: 'hello' })
const register = (eventId: string, times: object | undefined): CheckStep =>
  stepOf(ADMIN, 'registerEvent', { contractorId: C7, eventId, name: 'n', ...times } as Value)
const answer = (kind: 'standard' | 'event'): CheckStep => ({
  do: 'complete',
  kind: `agent.run.${kind}`,
  result: { reply: 'yes' },
})
const wait = (ms: number): CheckStep => ({ do: 'advance', ms })
const status = (to: string): CheckStep => stepOf(C7, 'updateEventStatus', { ...a, status: to })

/** What drawn commands seldom come to by themselves. */
export const CONCIERGE_WAYS: readonly (readonly CheckStep[])[] = [
  [open, talk, answer('standard'), register('a', today), talk, answer('event'), wait(29 * MINUTE), talk, wait(HOUR)],
  [open, register('a', soon), talk, answer('event'), wait(29 * MINUTE), talk, answer('event'), wait(29 * MINUTE), talk],
  [open, register('a', later), talk, answer('standard'), wait(16 * MINUTE), talk, wait(31 * MINUTE), talk],
  [
    open,
    register('a', today),
    talk,
    { do: 'fail', kind: 'agent.run.event' },
    wait(2_000),
    { do: 'fail', kind: 'agent.run.event' },
  ],
  [open, register('a', today), talk, stepOf(ADMIN, 'endEvent', { eventId: 'a' }), answer('event'), talk],
  [
    open,
    register('a', today),
    talk,
    register('b', soon),
    status('checked_in'),
    status('attending'),
    status('completed'),
    status('attending'),
  ],
  [open, talk, register('a', today), stepOf(ADMIN, 'updateEventContext', { ...a, ...later }), wait(14 * MINUTE)],
  [open, register('a', today), talk, status('cancelled'), stepOf(C7, 'end', { id: 'con-1' })],
  [open, register('a', today), talk, status('no_show')],
  [open, talk, talk, stepOf(ADMIN, 'end', { id: 'con-1' }), wait(31 * DAY), open],
  [...Array.from({ length: 21 }, (_, key) => stepOf(C7, 'open', { contractorId: C7, sessionKey: `key ${key}` }))],
]

const rowsOf = (tables: Tables) =>
  tables.conversations.range(ALL).map(([id, row]) => {
    const entity = tables.entities.get(id)
    assert.ok(entity !== undefined, id)
    return { row, entity, state: entity.value, memory: entity.context as unknown as ConciergeMemory }
  })

const registrationsOf = (tables: Tables, contractorId: string) =>
  tables.registrations.range({ prefix: [contractorId], ...ALL }).map(([, registration]) => registration)

/** C-I1, C-I2, PC2, PC3 and PC8: must hold after every entry; `reach` is told what was seen. */
export function conciergeInvariants(reach: (what: string) => void): {
  readonly [name: string]: (tables: Tables, read: unknown, waiting: Waiting) => void
} {
  return {
    'PC2, C-I1 nobody is in routing, and the event is that of event_agent alone': (tables) => {
      for (const { state, memory, entity } of rowsOf(tables)) {
        assert.ok(state === 'idle' || state === 'standard_agent' || state === 'event_agent', JSON.stringify(state))
        reach(state)
        assert.equal(entity.status, 'active')
        assert.equal(memory.eventId !== null, state === 'event_agent')
      }
    },
    'PC3 the event agent exactly while an event is active, once routed': (tables) => {
      for (const { row, state, memory } of rowsOf(tables)) {
        if (state === 'idle') continue
        assert.ok(memory.routedAt !== null)
        const corrected = tables.audit
          .range({ prefix: [row.contractorId], ...ALL })
          .some(([, { change, at }]) => change === 'context' && at >= (memory.routedAt ?? 0))
        const way = route(registrationsOf(tables, row.contractorId), memory.routedAt)
        if (corrected) {
          if (way.state !== state) reach('a correction that waits for routing')
          continue
        }
        assert.equal(state, way.state)
      }
    },
    'PC3 the next boundary and the idle time-out are armed, and nothing in idle': (tables, _read, waiting) => {
      for (const { row, state, entity } of rowsOf(tables)) {
        const { timers } = entity
        if (state === 'idle') {
          assert.deepEqual(timers, [])
          assert.ok(waiting.timers.some(({ kind, key }) => kind === 'purge' && key === row.id))
          continue
        }
        const due = (name: string) => timers.find(({ event }) => event.type.startsWith(`xstate.after.${name}.`))
        const boundary = due('boundary')
        assert.equal(due('idle')?.dueAt, (row.lastMessageAt ?? 0) + IDLE_MS)
        assert.ok(boundary !== undefined)
        const next = nextBoundary(registrationsOf(tables, row.contractorId), boundary.armedAt)
        assert.equal(boundary.dueAt, next ?? boundary.armedAt + 2 * IDLE_MS)
      }
    },
    'PC8, C-I2 one task for the open turn, none for a closed one': (tables, _read, waiting) => {
      for (const { row, state } of rowsOf(tables)) {
        const own = waiting.tasks.filter(({ machine, ref }) => machine === 'concierge' && ref === row.id)
        const tasks = own.map(({ taskId }) => taskId)
        assert.deepEqual(tasks, row.pendingTurn === null ? [] : [row.pendingTurn.taskId])
        if (row.lastReply !== null) reach(`reply ${row.lastReply.kind} of ${row.lastReply.agent}`)
        if (row.pendingTurn === null) continue
        assert.notEqual(state, 'idle')
        assert.equal(row.pendingTurn.turn, row.turn)
        assert.ok((row.lastReply?.turn ?? 0) < row.turn)
      }
    },
    'steps follow one another, and end where the conversation stands': (tables) => {
      for (const { row, state, memory } of rowsOf(tables)) {
        let at: unknown = 'idle'
        for (const step of row.history) {
          assert.equal(step.from, at)
          reach(`by ${step.event}`)
          at = step.to
        }
        assert.deepEqual([at, row.transitionSeq], [state, row.history.at(-1)?.seq ?? 0])
        assert.equal(row.history.at(-1)?.eventId ?? null, memory.eventId)
        if (row.endedBy !== null) reach(`ended by ${row.endedBy}`)
        assert.ok(row.endedBy === null || state === 'idle')
      }
    },
    'who is registered is an attendee, and nobody else': (tables) => {
      const pairs = tables.registrations.range(ALL).map(([[contractor, event]]) => `${event} ${contractor}`)
      const attendees = tables.attendees.range(ALL).map(([[event, contractor]]) => `${event} ${contractor}`)
      assert.deepEqual(attendees.sort(), pairs.sort())
      for (const [, { status: of }] of tables.registrations.range(ALL)) reach(of)
    },
  }
}

const WANTED = [
  'idle',
  'standard_agent',
  'event_agent',
  'a correction that waits for routing',
  ...CAUSES.map((cause) => `by ${cause}`),
  ...['user', 'admin', 'timeout'].map((who) => `ended by ${who}`),
  ...['registered', 'checked_in', 'attending', 'completed', 'cancelled', 'no_show'],
  ...['reply ANSWER of standard', 'reply ANSWER of event', 'reply UNAVAILABLE of standard'],
  ...Object.keys(concierge.commands).map((command) => `ok ${command}`),
  ...[...CODES, ...Object.keys(concierge.schema.errors)].map((code) => `code ${code}`),
]

/** C-I1, C-I2, PC2, PC3 and PC8 of domain.md §5.10, over lists of two contractors, an administrator and two agents. */
export function conciergeLists(): MachineLists {
  const reached = new Set<string>()
  return {
    machine: concierge as unknown as MachineDefinition,
    reached,
    wanted: WANTED,
    rare: {},
    options: {
      stepsMax: 40,
      begin: CONCIERGE_WAYS,
      principals: { [C7]: [], [D8]: [], [ADMIN]: [], [STANDARD]: ['agent:standard'], [EVENT]: ['agent:event'] },
      inputs: CONCIERGE_INPUTS,
      // The tables that they are given are those of this machine.
      invariants: conciergeInvariants((what) => reached.add(what)) as never,
    },
  }
}

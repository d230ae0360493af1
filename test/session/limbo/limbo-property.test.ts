import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Entry } from '../../../src/codec/entry/entry.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import type { LimboRows, QueryRequest } from '../../../src/session/state-machine.ts'
import type { UserStateMachine } from '../../../src/session/user-machine.ts'
import { sample } from '../../effort.ts'
import { ALL, operations, perform, SMALL } from '../operations.ts'
import { propertyMachine } from '../property-machine.ts'
import { codec, Log, RECORD_BYTES } from '../log.ts'
import { asked, differing, follow, limboMachine, rowsOf, type Step, steps, take, TIGHT } from './limbo-machine.ts'

/** Runs of entries that were followed, by their length. */
interface Followed {
  runs: number
  entries: number
  writes: number
  told: number
  waited: number
}

const nothing = (): Followed => ({ runs: 0, entries: 0, writes: 0, told: 0, waited: 0 })

/**
 * Cuts the log into runs that are followed, and applies each for good: what its entries write is in the set, what is answered
 * in limbo is what is answered after each of them, and the trial has left nothing.
 */
function checkRuns(log: Log, user: UserStateMachine, queries: readonly QueryRequest[], seen: Followed): void {
  const machine = new SessionStateMachine(user, codec, {})
  const entries = [...log.entries]
  while (entries.length > 0) {
    const { taken, rows } = follow(machine, entries)
    const run = entries.splice(0, Math.max(taken, 1))
    if (rows === null || taken === 0) for (const entry of run) applyTo(machine, entry)
    else {
      seen.runs += 1
      checkRun(machine, run, rows, queries, seen)
    }
  }
  expect(machine.stateHash()).toBe(log.machine.stateHash())
}

function checkRun(
  machine: SessionStateMachine,
  run: readonly Entry[],
  rows: LimboRows,
  queries: readonly QueryRequest[],
  seen: Followed,
): void {
  const told = queries.flatMap((request) => {
    const answer = machine.queryInLimbo(request, rows)
    if (answer === null) seen.waited += 1
    else expect(answer).toEqual(machine.query(request))
    return answer === null ? [] : [{ request, answer }]
  })
  seen.told += told.length
  for (const entry of run) {
    const before = rowsOf(machine)
    applyTo(machine, entry)
    seen.entries += 1
    const written = differing(before, rowsOf(machine))
    seen.writes += written.length
    expect(written.filter((key) => !rows.has(key))).toEqual([])
    // Of what is told in limbo, nothing was another before or is another after.
    for (const { request, answer } of told) expect(machine.query(request)).toEqual(answer)
  }
}

function applyTo(machine: SessionStateMachine, entry: Entry): void {
  if (machine.apply(entry, RECORD_BYTES).boundary) machine.swapDirty()
  machine.checkInvariants()
}

const KEYS = [
  'k0',
  'k1',
  'k2',
  'k3',
  'number',
  'refused',
  'passing/1',
  'moved/k1',
  'counted/2',
  'sent/true/1',
  'after/1',
]

const bounds = fc.record({
  from: fc.constantFrom('', 'k', 'k1', 'k2', 'm', 'moved/', 'sent/', 'x'),
  to: fc.constantFrom('k1', 'k3', 'l', 'n', 'o', 't', '\xff'),
  limit: fc.constantFrom(0, 1, 1, 2, 100),
  reverse: fc.boolean(),
})

const queries: fc.Arbitrary<QueryRequest[]> = fc.array(
  fc
    .oneof(
      fc.tuple(fc.constantFrom('get', 'has'), fc.constantFrom(...KEYS)),
      fc.tuple(fc.constantFrom('range', 'range', 'count'), bounds as fc.Arbitrary<Value>),
      fc.tuple(fc.constantFrom('now', 'index', 'who', 'version'), fc.constant(null)),
    )
    .map(([query, input]) => asked(query, input, 3)),
  { minLength: 6, maxLength: 12, size: 'max' },
)

function property(seen: Followed): fc.IPropertyWithHooks<[Step[], QueryRequest[]]> {
  return fc.property(steps, queries, (all, questions) => {
    const log = new Log(limboMachine(), TIGHT)
    const opened = [log.open('a', { principal: 'user:a' }), log.open('b', { principal: 'admin:b', ordered: true })]
    for (const step of all) take(log, opened, step)
    checkRuns(log, limboMachine(), questions, seen)
  })
}

test('Q-013 rows that entries of limbo write are in the set, and what is answered is so after each of them', () => {
  fc.assert(property(nothing()), { numRuns: sample(150) })
})

test('the same for a known seed, in which long runs are followed and both kinds of queries abound', () => {
  const seen = nothing()
  fc.assert(property(seen), { numRuns: 100, seed: 7 })
  expect(seen.entries / seen.runs).toBeGreaterThan(4)
  expect(seen.writes).toBeGreaterThan(500)
  expect(seen.told).toBeGreaterThan(500)
  expect(seen.waited).toBeGreaterThan(300)
})

test('the same of the machine of the reference model, whose logs have every kind of entry', () => {
  const machine = (): UserStateMachine => ({
    ...propertyMachine(),
    query: ({ state }, { input }) => ({ kind: 'value', value: state.range(input as never).map(([...row]) => row) }),
  })
  const seen = nothing()
  const all = asked('range', { from: '', to: '\xff', limit: 1000 })
  const some = asked('range', { from: 'count/', to: 'count/2', limit: 2 })
  fc.assert(
    fc.property(operations(ALL), (operationsOfLog) => {
      const log = new Log(machine(), SMALL)
      const opened: number[] = []
      for (const operation of operationsOfLog) perform(log, opened, operation)
      checkRuns(log, machine(), [all, some], seen)
    }),
    { numRuns: sample(80) },
  )
  expect(seen.entries).toBeGreaterThan(100)
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Value } from '../../../src/codec/value/value.ts'
import { mount } from '../../../src/machine/index.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import { sample } from '../../effort.ts'
import { codec, Log, swapped } from '../../session/log.ts'
import { book, INDEXES, type IndexName, type Order, type OrderId } from './order-book.ts'
import { inputOf, type OrderStep, orderSteps } from './order-steps.ts'

const NAMES = Object.keys(INDEXES) as IndexName[]
const fieldsOf = (index: IndexName): readonly (keyof Order)[] => INDEXES[index]

/** The rows by their keys, and nothing else. */
type Model = Map<string, readonly [OrderId, Order]>

function stepModel(model: Model, step: OrderStep): void {
  switch (step.kind) {
    case 'put':
      model.set(JSON.stringify(step.id), [step.id, step.row])
      return
    case 'remove':
      model.delete(JSON.stringify(step.id))
      return
    case 'change':
      for (const row of step.rows) model.set(JSON.stringify(step.id), [step.id, row])
      return
    case 'pay':
      for (const [key, [id, row]] of model) if (row.owner === step.owner) model.set(key, [id, { ...row, paid: true }])
      return
    case 'refuse':
    case 'throws':
      return
  }
}

/** Text by code point, which is the order of its UTF-8; bytes as bytes; numbers by value; false before true. */
function compare(left: unknown, right: unknown): number {
  if (typeof left === 'string' && typeof right === 'string')
    return Buffer.compare(Buffer.from(left), Buffer.from(right))
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right)
  return Number(left) - Number(right)
}

/** The rows of an index in its order, from the model alone. */
function expected(model: Model, index: IndexName): readonly (readonly [OrderId, Order])[] {
  const fields = fieldsOf(index)
  const parts = ([id, row]: readonly [OrderId, Order]): readonly unknown[] => [
    ...fields.map((field) => row[field]),
    ...id,
  ]
  return [...model.values()]
    .filter(([, row]) => fields.every((field) => row[field] !== null && row[field] !== undefined))
    .sort((left, right) => {
      const [a, b] = [parts(left), parts(right)]
      for (const [at, part] of a.entries()) {
        const order = compare(part, b[at])
        if (order !== 0) return order
      }
      return 0
    })
}

type Asked = Pick<SessionStateMachine, 'query'>

function ask(machine: Asked, asked: object): unknown {
  const answer = machine.query({ machine: 'book', query: 'page', input: asked as Value, session: null })
  if (answer.kind !== 'value') throw new Error(JSON.stringify(answer))
  return answer.value
}

function checkIndexes(machine: Asked, model: Model, pick: number): void {
  for (const index of NAMES) {
    const rows = expected(model, index)
    expect(ask(machine, { index, limit: 1000 }), index).toEqual(rows)
    expect(ask(machine, { index, limit: 1000, reverse: true }), index).toEqual([...rows].reverse())
    if (rows.length === 0) continue
    // From one of its rows on, by all of its fields, by the first, and as the next page.
    const at = pick % rows.length
    const row = rows[at] as readonly [OrderId, Order]
    const fields = fieldsOf(index).map((field) => row[1][field])
    const first = rows.findIndex((other) => compareFields(index, other[1], fields) >= 0)
    expect(ask(machine, { index, from: fields, limit: 2 })).toEqual(rows.slice(first, first + 2))
    expect(ask(machine, { index, to: fields, limit: 1000 })).toEqual(rows.slice(0, first))
    expect(ask(machine, { index, prefix: fields.slice(0, 1), limit: 1000 })).toEqual(
      rows.filter((other) => compareFields(index, other[1], fields.slice(0, 1)) === 0),
    )
    expect(ask(machine, { index, after: row, limit: 3 })).toEqual(rows.slice(at + 1, at + 4))
    expect(ask(machine, { index, after: row, limit: 1000, reverse: true })).toEqual(rows.slice(0, at).reverse())
  }
}

function compareFields(index: IndexName, row: Order, fields: readonly unknown[]): number {
  for (const [at, name] of fieldsOf(index).entries()) {
    if (at >= fields.length) return 0
    const order = compare(row[name], fields[at])
    if (order !== 0) return order
  }
  return 0
}

const user = () => mount([book], codec).userMachine

test('an index is its table in another order, after every entry and after a restart from a snapshot of every index', () => {
  fc.assert(
    fc.property(orderSteps, fc.nat({ max: 1000 }), (steps, pick) => {
      const log = new Log(user())
      const session = log.open('client')
      const model: Model = new Map()
      const stored = new Map<string, Value>()
      for (const [at, step] of steps.entries()) {
        log.request(session, at + 1, step.kind, { machine: 'book', input: inputOf(step) })
        stepModel(model, step)
        checkIndexes(log.machine, model, pick)
        for (const [key, row] of swapped(log.machine)) {
          if (row === undefined) stored.delete(key)
          else stored.set(key, codec.decodeValue(codec.encodeValue(row)))
        }
        // Every row of an index belongs to one of the table.
        const entries = [...stored.keys()].filter((key) => key.startsWith('user/book/.'))
        expect(entries).toHaveLength(NAMES.reduce((sum, name) => sum + expected(model, name).length, 0))
        const restarted = new SessionStateMachine(user(), codec)
        for (const [key, row] of stored) restarted.restoreRow(key, row)
        restarted.restored({ index: log.machine.appliedIndex, term: 1, lease: log.lease, now: log.now })
        expect(restarted.stateHash()).toBe(log.machine.stateHash())
        checkIndexes(restarted, model, pick)
      }
    }),
    { numRuns: sample(40) },
  )
})

import { describe, expect, test } from 'vitest'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import type { Outcome } from '../../../src/session/user-machine.ts'
import { codec, Log, RECORD_BYTES } from '../log.ts'
import { asked, follow, limboMachine } from './limbo-machine.ts'

/** Rows k0 … k4 there; in limbo k2 is written and k3 goes. `later`: the clock moves by so much before limbo. */
function world(later = 0) {
  const log = new Log(limboMachine())
  const session = log.open('a')
  for (let at = 0; at < 5; at += 1) log.request(session, at + 1, 'put', { input: at })
  const reports: unknown[] = []
  const machine = new SessionStateMachine(limboMachine(), codec, { report: (report) => reports.push(report) })
  for (const entry of log.entries) machine.apply(entry, RECORD_BYTES)
  const from = log.entries.length
  log.advance(later)
  log.request(session, 6, 'put', { input: 2 })
  log.request(session, 7, 'remove', { input: 3 })
  const limbo = log.entries.slice(from)
  const { rows } = follow(machine, limbo)
  if (rows === null) throw new Error('limbo is followed')
  const told = (...question: Parameters<typeof asked>): Outcome | null => machine.queryInLimbo(asked(...question), rows)
  return { machine, limbo, rows, session, told, reports }
}

const value = (told: unknown): Outcome => ({ kind: 'value', value: told as never })

describe('a query in limbo', () => {
  test('is answered when it reads rows that limbo does not write', () => {
    const { told } = world()
    expect(told('get', 'k1')).toEqual(value(5))
    expect(told('has', 'k9')).toEqual(value(false))
    expect(told('range', { from: 'k0', to: 'k2', limit: 9 })).toEqual(
      value([
        ['k0', expect.anything()],
        ['k1', expect.anything()],
      ]),
    )
    expect(told('count', { from: 'k4', to: 'l' })).toEqual(value(1))
  })

  test('waits when it reads a row that is written, or one that goes', () => {
    const { told } = world()
    expect(told('get', 'k2')).toBe(null)
    expect(told('has', 'k3')).toBe(null)
  })

  test('waits when a row that is written lies in a range of it, whether it found it or not', () => {
    const { told } = world()
    expect(told('range', { from: 'k2', to: 'k3', limit: 9 })).toBe(null)
    expect(told('range', { from: 'k0', to: 'k3', limit: 9 })).toBe(null)
    expect(told('count', { from: 'k3', to: 'k4' })).toBe(null)
    expect(told('count', { from: 'k30', to: 'k4' })).toEqual(value(0))
  })

  test('is answered when its range had enough before the row that is written, from either end', () => {
    const { told } = world()
    expect(told('range', { from: 'k0', to: 'l', limit: 2 })).toEqual(
      value([
        ['k0', expect.anything()],
        ['k1', expect.anything()],
      ]),
    )
    expect(told('range', { from: 'k0', to: 'l', limit: 3 })).toBe(null)
    expect(told('range', { from: 'k0', to: 'l', limit: 1, reverse: true })).toEqual(value([['k4', expect.anything()]]))
    expect(told('range', { from: 'k0', to: 'l', limit: 2, reverse: true })).toBe(null)
    expect(told('range', { from: 'k0', to: 'l', limit: 0 })).toEqual(value([]))
  })

  test('waits when it asks for the index, and when it asks for a time that limbo moves', () => {
    expect(world().told('index')).toBe(null)
    expect(world(5).told('now')).toBe(null)
    expect(world().told('now')).toEqual(value(expect.any(Number)))
  })

  test('is answered when it asks who asks, and for versions', () => {
    const { told, session } = world()
    expect(told('who', null, session)).toEqual(value('user:a'))
    expect(told('who', null, 999)).toEqual(value(null))
    expect(told('version')).toEqual(value(1))
  })

  test('waits, also when its machine swallows that', () => {
    expect(world().told('swallow', 'k2')).toBe(null)
    expect(world().told('swallow', 'k1')).toEqual(value(5))
  })

  test('waits when it fails, since the index is in that answer, and is reported once it is run for good', () => {
    const { told, reports, machine } = world()
    expect(told('explode')).toBe(null)
    expect(reports).toEqual([])
    machine.query(asked('explode'))
    expect(reports).toHaveLength(1)
  })

  test('is answered as ever once all of limbo is applied, and as in limbo before that', () => {
    const { machine, limbo, told } = world()
    const [first, second] = limbo
    if (first === undefined || second === undefined) throw new Error('there are two')
    machine.apply(first, RECORD_BYTES)
    expect([told('get', 'k2'), told('get', 'k3')]).toEqual([null, null])
    machine.apply(second, RECORD_BYTES)
    expect([told('get', 'k2'), told('get', 'k3')]).toEqual([value(first.index), value(null)])
    expect(told('index')).toEqual(value(second.index))
  })
})

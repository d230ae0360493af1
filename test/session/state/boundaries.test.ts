import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SpreadMap } from '../../../src/base/spread-map.ts'
import type { Row } from '../../../src/session/rows/dictionary.ts'
import type { ReplicatedState } from '../../../src/session/state/replicated-state.ts'
import { metaRow } from '../../../src/session/state/meta-row.ts'
import { FAMILY, USER_PREFIX } from '../../../src/session/rows/row-keys.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import type { DirtyRows } from '../../../src/session/dirty-rows.ts'
import { storedRow } from '../../../src/session/rows/session-rows.ts'
import { counter } from '../bare-machine.ts'
import { codec, Log, numbers } from '../log.ts'
import { ALL, operations, perform, SMALL } from '../operations.ts'
import { propertyMachine } from '../property-machine.ts'
import { sample } from '../../effort.ts'

/** A whole state as bytes by key. */
type Rows = Map<string, string>

const bytesOf = (value: unknown): string => Buffer.from(codec.encodeValue(value as never)).toString('hex')

/** Every row of the state as it stands, gathered without anything that a swap uses. */
function materialised(machine: SessionStateMachine): Rows {
  const { state } = machine as unknown as { state: ReplicatedState }
  const { dictionary, userRows, keys } = state
  const rows: Rows = new Map([[FAMILY.meta, bytesOf(metaRow(state))]])
  const all = dictionary as unknown as { rows: SpreadMap<Row> }
  for (const { key, value } of all.rows.values()) rows.set(key, bytesOf(value))
  for (const key of userRows.range({ from: '', to: '\xff', limit: 1e9, reverse: false }))
    rows.set(USER_PREFIX + key, bytesOf(userRows.get(key)))
  for (const { row, responses, outbox } of state.sessions.all()) {
    rows.set(keys.row(FAMILY.client, row.index), bytesOf(storedRow(row)))
    for (const response of responses)
      rows.set(keys.row(FAMILY.response, row.index, response.requestId), bytesOf(response))
    for (const request of outbox)
      rows.set(keys.row(FAMILY.outbox, row.index, request.serverRequestId), bytesOf(request))
  }
  return rows
}

interface Boundary {
  readonly dirty: DirtyRows
  readonly whole: Rows
}

/** What a store holds after these boundaries, each compared with the state it was taken of. */
function checkAll(boundaries: readonly Boundary[]): Rows {
  let stored: Rows = new Map()
  for (const { dirty, whole } of boundaries) {
    const next: Rows = new Map(stored)
    const named = new Set<string>()
    for (const { key, value } of dirty) {
      expect(named.has(key)).toBe(false)
      named.add(key)
      if (value !== undefined) next.set(key, bytesOf(value))
      // What no boundary has held is not deleted at one.
      else expect(next.delete(key)).toBe(true)
    }
    expect(dirty.total).toBe(whole.size)
    expect([...next].sort()).toEqual([...whole].sort())
    stored = next
  }
  return stored
}

describe('boundaries', () => {
  test('FR-012 hold at any entries what the whole state holds there, however late they are read', () => {
    fc.assert(
      fc.property(operations(ALL, 'remembered'), fc.array(fc.nat({ max: 12 }), { maxLength: 12 }), (steps, gaps) => {
        const log = new Log(propertyMachine(), SMALL)
        const opened: number[] = []
        for (const step of steps) perform(log, opened, step)
        const machine = new SessionStateMachine(propertyMachine(), codec)
        const boundaries: Boundary[] = []
        let until = gaps[0] ?? 3
        for (const entry of log.entries) {
          log.replay(machine, entry)
          if (entry.index < until && entry.index < log.entries.length) continue
          const whole = materialised(machine)
          boundaries.push({ dirty: machine.swapDirty(), whole })
          until = entry.index + (gaps[boundaries.length % Math.max(gaps.length, 1)] ?? 3)
          expect(machine.counts.rows).toBe(whole.size)
        }
        // Read after every later entry was applied, and once more.
        expect(checkAll(boundaries)).toEqual(checkAll(boundaries))
      }),
      { numRuns: sample(80) },
    )
  })

  test('leave out what came and went between two of them', () => {
    const log = new Log(counter())
    const session = log.open('a')
    const boundaries: Boundary[] = []
    const swap = () => boundaries.push({ whole: materialised(log.machine), dirty: log.machine.swapDirty() })
    swap()
    for (let id = 1; id <= 50; id += 1) {
      log.request(session, id, 'emit', { lowestPendingRequestId: id })
      log.ack(session, id)
    }
    const second = log.open('b')
    log.append('CloseSession', { ...numbers(second), epoch: 0, secretHash: new Uint8Array(0) })
    swap()
    checkAll(boundaries)
    const last = [...(boundaries[1] as Boundary).dirty]
    expect(last.filter(({ value }) => value === undefined)).toEqual([])
    expect(last.filter(({ key }) => key.startsWith(FAMILY.response))).toHaveLength(1)
    expect(last.filter(({ key }) => key.startsWith(FAMILY.outbox))).toEqual([])
    expect(last.filter(({ key }) => key.startsWith(FAMILY.client))).toHaveLength(1)
  })
})

import { describe, expect, test } from 'vitest'
import { groupId, logIndex, term } from '../../../src/base/brand.ts'
import { encodeClientRequest } from '../../../src/codec/entry/client-request.ts'
import { EntryEncoder } from '../../../src/codec/entry/entry-encoder.ts'
import type { EntryKind } from '../../../src/codec/entry/entry.ts'
import { encodePayload } from '../../../src/codec/entry/payload-codec.ts'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import { type HistoryPage, SessionHistory } from '../../../src/node/inspect/session-history.ts'
import type { ReadRecords } from '../../../src/node/ports/log-store.ts'
import type { StorageDone } from '../../../src/node/ports/storage-fault.ts'

const session = { group: 0, incarnation: 1, index: 4 }
const other = { group: 0, incarnation: 1, index: 5 }

function request(of: typeof session, bytes = 0): [EntryKind, Uint8Array] {
  const numbers = { ...of, epoch: 1, requestId: 7, lowestPendingRequestId: 1, ackServerRequests: 0 }
  const asked = { hashHigh: 0, hashLow: 0, version: 1, machine: 'stock', command: 'add', input: new Uint8Array(bytes) }
  return ['ClientRequest', encodeClientRequest({ ...numbers, ...asked })]
}

const tick: [EntryKind, Uint8Array] = ['Tick', new Uint8Array(0)]

function encoded(index: number, [kind, payload]: [EntryKind, Uint8Array]): Uint8Array {
  const encoder = new EntryEncoder()
  const header = { group: groupId(0), index: logIndex(index), term: term(1), lease: 0, now: index * 10 }
  encoder.append({ kind, ...header, previousChain: 0, payload })
  return encoder.finish()
}

/** A log that answers when it is told, with at most `entriesPerRead`. */
function world(
  entries: readonly [EntryKind, Uint8Array][],
  options: { firstIndex?: number; entriesPerRead?: number } = {},
) {
  const { entriesPerRead = 2 } = options
  const state = { firstIndex: options.firstIndex ?? 1, stopped: false, reads: 0 }
  const waiting: (() => void)[] = []
  const read = (range: { first: number; last: number }, done: StorageDone<ReadRecords>): void => {
    state.reads += 1
    waiting.push(() => {
      const last = Math.min(range.last, range.first + entriesPerRead - 1)
      const held = range.first >= state.firstIndex
      const indexes = held ? Array.from({ length: last - range.first + 1 }, (_, at) => range.first + at) : []
      const records = Buffer.concat(indexes.map((index) => encoded(index, entries[index - 1] ?? tick)))
      done(null, { records, first: logIndex(range.first), last: logIndex(last) })
    })
  }
  const log = {
    read,
    get firstIndex() {
      return logIndex(state.firstIndex)
    },
  }
  const clock = { defer: (run: () => void) => void waiting.push(run) }
  const machine = { appliedIndex: entries.length }
  const history = new SessionHistory({ log, clock, codec: sessionCodec, machine, stopped: () => state.stopped })
  const run = (): void => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) next()
  }
  const page = (from = 0, limit = 100): HistoryPage | string => {
    const told: (HistoryPage | string)[] = []
    history.page({ session, from, limit }, (found) => told.push(found))
    run()
    expect(told).toHaveLength(1)
    return told[0] ?? ''
  }
  return { history, page, run, state }
}

const found = (page: HistoryPage | string): number[] =>
  typeof page === 'string' ? [] : page.entries.map(({ index }) => index)

const ENTRIES: [EntryKind, Uint8Array][] = [
  tick,
  tick,
  tick,
  ['OpenSession', encodePayload('OpenSession', { ...opening() })],
  ['OpenSession', encodePayload('OpenSession', { ...opening() })],
  request(session, 3),
  request(other),
  ['KeepAlive', encodePayload('KeepAlive', { sessions: [other, session] })],
  ['ServerRequestAck', encodePayload('ServerRequestAck', { ...session, epoch: 1, serverRequestId: 12 })],
  ['ClientRequest', new Uint8Array(3)],
  ['CloseSession', encodePayload('CloseSession', { ...session, epoch: 1, secretHash: new Uint8Array(0) })],
]

function opening() {
  const who = { secretHash: new Uint8Array(32), principal: 'user:a', roles: [], capabilities: {}, name: '' }
  return { ...who, timeoutMs: 1000, validUntil: 1, ordered: false }
}

describe('the history of a session', () => {
  test('is every entry that names it, from its opening on; what does not decode names nobody', () => {
    const page = world(ENTRIES).page()
    expect(found(page)).toEqual([4, 6, 8, 9, 11])
    expect(page).toMatchObject({
      next: null,
      firstKept: 1,
      entries: [
        { kind: 'OpenSession', now: 40 },
        { request: { machine: 'stock', requestId: 7, input: new Uint8Array(3) } },
        { kind: 'KeepAlive' },
        { acknowledged: 12 },
        { kind: 'CloseSession' },
      ],
    })
  })

  test('comes in pages, each of which goes on where the one before ended', () => {
    const { page } = world(ENTRIES)
    const first = page(0, 2)
    expect([found(first), first]).toMatchObject([[4, 6], { next: 7 }])
    expect(found(page(7, 2))).toEqual([8, 9])
    expect(found(page(10, 2))).toEqual([11])
  })

  test('says where the kept log begins, also when it lets go of entries while they are looked for', () => {
    expect(world(ENTRIES, { firstIndex: 7 }).page()).toMatchObject({
      firstKept: 7,
      entries: [{ index: 8 }, { index: 9 }, { index: 11 }],
    })
    const { history, run, state } = world(ENTRIES)
    const told: unknown[] = []
    history.page({ session, from: 0, limit: 100 }, (page) => told.push(page))
    state.firstIndex = 9
    run()
    expect(told).toMatchObject([{ firstKept: 9, entries: [{ index: 9 }, { index: 11 }] }])
  })

  test('a page ends after 8 MiB of log, so that a rare session holds nobody up', () => {
    const entries = [...ENTRIES.slice(0, 4), ...Array.from({ length: 40 }, () => request(other, 1024 * 1024))]
    const { page, state } = world(entries, { entriesPerRead: 1 })
    const first = page()
    expect(found(first)).toEqual([4])
    expect(state.reads).toBeLessThan(12)
    expect(typeof first === 'string' ? null : first.next).toBe(state.reads + 4)
  })

  test('no more than four pages are read at once, and none of a node that stops', () => {
    const { history, run, state } = world(ENTRIES)
    const told: unknown[] = []
    for (let at = 0; at < 5; at += 1) {
      history.page({ session, from: 0, limit: 1 }, (page) => told.push(typeof page === 'string' ? page : 'page'))
    }
    expect(told).toEqual(['OVERLOADED'])
    run()
    expect(told).toEqual(['OVERLOADED', 'page', 'page', 'page', 'page'])
    state.stopped = true
    history.page({ session, from: 0, limit: 1 }, (page) => told.push(page))
    expect(told.at(-1)).toBe('SHUTTING_DOWN')
  })
})

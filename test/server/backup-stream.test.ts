import { EventEmitter } from 'node:events'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { logIndex, term } from '../../src/base/brand.ts'
import { BackupReader } from '../../src/codec/backup/backup-reader.ts'
import { EntryEncoder } from '../../src/codec/entry/entry-encoder.ts'
import { encodePayload } from '../../src/codec/entry/payload-codec.ts'
import { groupId } from '../../src/base/brand.ts'
import { BackupSource } from '../../src/node/backup/backup-source.ts'
import type { SnapshotPart, SnapshotView } from '../../src/node/ports/snapshot-store.ts'
import { BackupStream } from '../../src/server/operator/backup-stream.ts'
import type { HaltCode } from '../../src/session/run/halt.ts'
import { packRows } from '../../src/codec/rows/packed-rows.ts'
import { meta } from '../storage/snapshot/snapshot-contract.ts'

/** A reader that asks when it is told to. */
class Call extends EventEmitter {
  readonly pieces: Uint8Array[] = []
  readonly failures: string[] = []
  ended = false

  constructor() {
    super()
    this.on('error', ({ details }: { details: string }) => this.failures.push(details))
  }

  write({ bytes }: { bytes: Uint8Array }, done: () => void): boolean {
    this.pieces.push(bytes)
    queueMicrotask(done)
    return true
  }

  end(): void {
    this.ended = true
  }

  ask(): void {
    this.emit('data', { withLog: false, sinceIndex: 0 })
  }
}

const CONFIGURATION = encodePayload('Configuration', {
  clusterId: 'c1',
  incarnation: 1,
  voters: [],
  learners: [],
  outgoing: [],
  promoting: [],
  removed: [],
})

interface Given {
  readonly applied?: number
  readonly halted?: HaltCode | null
  readonly isBack?: boolean
}

/** Rows `a` to `j` of 100 KiB, the state as of entry 5, and entry 6 behind it. */
function world({ applied = 6, halted = null, isBack = false }: Given = {}) {
  const encoder = new EntryEncoder()
  const { chain, lastIncludedTerm } = meta(5)
  const place = { group: groupId(0), index: logIndex(6), term: term(lastIncludedTerm), previousChain: chain }
  encoder.append({ kind: 'Tick', ...place, lease: 1, now: 1, payload: new Uint8Array(0) })
  const records = encoder.finish()
  const views: { closed: boolean; overtaken: boolean }[] = []
  const viewOf = (): SnapshotView => {
    const state = { closed: false, overtaken: false }
    views.push(state)
    return {
      meta: meta(5),
      total: 10,
      read: (after, _bytesMax, done) => {
        if (state.overtaken) return done(null, null)
        const key = after === null ? 'a' : String.fromCharCode(after.charCodeAt(0) + 1)
        const rows = key > 'j' ? [] : [{ key, value: new Uint8Array(100 * 1024) }]
        const part: SnapshotPart = { rows: rows.length, bytes: packRows(rows), lastKey: rows[0]?.key ?? null }
        done(null, part)
      },
      close: () => {
        state.closed = true
      },
    }
  }
  const backups = new BackupSource({
    store: { view: (done) => done(null, viewOf()) },
    log: {
      firstIndex: logIndex(6),
      read: ({ first, last }, done) => done(null, { records, first, last }),
    },
    moment: () => ({
      index: logIndex(applied),
      stateHash: 'f'.repeat(16),
      createdMs: 1,
      node: 'n1',
      clusterId: 'c1',
      group: 0,
      incarnation: 1,
      development: false,
      holdfast: '',
      machines: {},
      limits: {},
      configuration: Buffer.from(CONFIGURATION).toString('base64'),
    }),
    stopped: () => false,
    halted: () => halted,
    isBack: () => isBack,
    fault: () => undefined,
  })
  const open = (): Call => {
    const call = new Call()
    new BackupStream({ backups } as never, call as never, () => undefined)
    return call
  }
  return { backups, open, views }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function readAll(call: Call): Promise<string[]> {
  for (let asked = 0; !call.ended && call.failures.length === 0 && asked < 100; asked += 1) {
    call.ask()
    await turn()
  }
  const reader = new BackupReader()
  const kinds: string[] = []
  for (const piece of call.pieces) {
    reader.push(piece)
    for (let part = reader.take(); part !== null; part = reader.take()) kinds.push(part.kind)
  }
  if (call.ended) reader.end()
  return kinds
}

afterEach(() => {
  vi.useRealTimers()
})

describe('a backup on its way', () => {
  test('is a whole one, with one piece for each time that its reader asks, and lets go of its view', async () => {
    const { open, views, backups } = world()
    const call = open()
    await turn()
    expect(call.pieces).toEqual([])
    call.ask()
    await turn()
    expect(call.pieces).toHaveLength(1)
    // Until the log is read it stays.
    expect(backups.pinned).toBe(5)
    const rows = Array.from({ length: 10 }, () => 'rows')
    expect(await readAll(call)).toEqual(['facts', 'log', ...rows, 'totals'])
    expect(views).toEqual([{ closed: true, overtaken: false }])
    expect(backups.pinned).toBeNull()
  })

  test('ends with a sentence when the snapshot is replaced that it is read from', async () => {
    const { open, views } = world()
    const call = open()
    for (let asked = 0; asked < 4; asked += 1) {
      call.ask()
      await turn()
    }
    const [view] = views
    if (view !== undefined) view.overtaken = true
    await readAll(call)
    expect(call.failures).toEqual([expect.stringContaining('BACKUP_OVERTAKEN')])
    expect(view?.closed).toBe(true)
  })

  test('is given up when nobody asks for a minute: the view it holds keeps files on disk', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { open, views } = world()
    const call = open()
    call.ask()
    await turn()
    vi.advanceTimersByTime(59_000)
    call.ask()
    await turn()
    vi.advanceTimersByTime(59_000)
    expect(call.failures).toEqual([])
    vi.advanceTimersByTime(2_000)
    expect(call.failures).toEqual([expect.stringContaining('BACKUP_ABANDONED')])
    expect(views).toEqual([{ closed: true, overtaken: false }])
  })

  test('is one of two at a time, and of a node that has applied something', async () => {
    const { open, views } = world()
    const calls = [open(), open(), open()]
    for (const call of calls) call.ask()
    await turn()
    expect(calls[2]?.failures).toEqual([expect.stringContaining('OVERLOADED')])
    calls[0]?.emit('cancelled')
    expect(views[0]?.closed).toBe(true)
    const again = open()
    again.ask()
    await turn()
    expect(again.pieces).toHaveLength(1)
    const fresh = world({ applied: 0 }).open()
    fresh.ask()
    await turn()
    expect(fresh.failures).toEqual([expect.stringContaining('NOTHING_TO_BACK_UP')])
  })

  test.each([
    ['DIVERGED', { halted: 'DIVERGED' as const }],
    ['ENGINE_ERROR', { halted: 'ENGINE_ERROR' as const }],
    ['NOTHING_TO_BACK_UP', { isBack: true }],
  ])('is refused with %s by a node whose state may not be the cluster’s', async (code, given) => {
    const { open, views } = world(given)
    const call = open()
    call.ask()
    await turn()
    expect(call.failures).toEqual([expect.stringMatching(new RegExp(`^${code}: `))])
    expect(call.pieces).toEqual([])
    expect(views).toEqual([])
  })
})

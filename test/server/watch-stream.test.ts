import { EventEmitter } from 'node:events'
import { describe, expect, test, vi } from 'vitest'
import { sessionCodec } from '../../src/codec/session-codec.ts'
import { logIndex, term } from '../../src/base/brand.ts'
import { SessionGateway } from '../../src/gateway/session-gateway.ts'
import { OperatorService } from '../../src/server/operator/operator-service.ts'
import { WatchStream } from '../../src/server/operator/watch-stream.ts'
import { FakeNode, parserOf } from '../gateway/fake-node.ts'
import { realClock } from '../transport/fake-clock.ts'

/** A call that takes no message further until it is told to. */
class Call extends EventEmitter {
  readonly messages: { lines: { index: number }[] }[] = []
  readonly failures: string[] = []
  ended = false
  private taken: (() => void)[] = []

  constructor() {
    super()
    this.on('error', ({ details }: { details: string }) => this.failures.push(details))
  }

  write(message: { lines: { index: number }[] }, done: () => void): boolean {
    this.messages.push(message)
    this.taken.push(done)
    return false
  }

  end(): void {
    this.ended = true
  }

  take(): void {
    for (const done of this.taken.splice(0)) done()
  }
}

function world(
  request: Partial<{ machines: string[]; sinceIndex: number; limit: number }> = {},
  prepare: (node: FakeNode) => void = () => undefined,
) {
  const node = new FakeNode()
  prepare(node)
  const gateway = new SessionGateway(node, { ...parserOf(() => 1), codec: sessionCodec, clock: realClock })
  const call = new Call()
  const { feed } = node.inspection
  let over = false
  const options = { request: { machines: [], sinceIndex: 0, limit: 0, ...request }, ended: () => (over = true) }
  const stream = new WatchStream(gateway, call as never, options)
  stream.begin()
  const apply = (index: number): void => {
    const header = { kind: 'Tick', index: logIndex(index), term: term(1), now: 5 } as never
    if (feed.watched) feed.tell(header, new Uint8Array(0), { reply: { kind: 'none' }, ms: 0.5 })
  }
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  return { stream, call, feed, apply, turn, over: () => over }
}

describe('a watcher', () => {
  test('is told of the entries of a turn together, once its reader took what was before', async () => {
    const { call, apply, turn } = world()
    for (const index of [3, 4, 5]) apply(index)
    await turn()
    expect(call.messages).toMatchObject([{ lines: [] }])
    call.take()
    expect(call.messages[1]?.lines.map(({ index }) => index)).toEqual([3, 4, 5])
  })

  test('that does not read is cut off with a sentence, and nothing is taken down for it any more', () => {
    const { call, apply, feed, over } = world()
    for (let index = 1; index <= 10_001; index += 1) apply(index)
    expect(call.failures).toEqual([expect.stringMatching(/^SLOW_READER: /)])
    expect([feed.watched, over()]).toEqual([false, true])
  })

  test('of a node that installs a snapshot gets what came before it, and a sentence in place of what it misses', async () => {
    const { call, apply, turn, feed, over } = world()
    for (const index of [3, 4]) apply(index)
    feed.passOver(logIndex(50))
    apply(51)
    for (let taken = 0; taken < 3; taken += 1) {
      await turn()
      call.take()
    }
    await turn()
    expect(call.messages.flatMap(({ lines }) => lines.map(({ index }) => index))).toEqual([3, 4])
    expect(call.failures).toEqual([expect.stringMatching(/^ENTRIES_PASSED_OVER: /)])
    expect([feed.watched, over()]).toEqual([false, true])
  })

  test('since an entry that an installed snapshot covers goes on with what is applied next, and asks for no page for ever', async () => {
    let pages = 0
    const { call, apply, turn, feed } = world({ sinceIndex: 5 }, ({ machine, inspection }) => {
      Object.defineProperty(machine, 'appliedIndex', { value: 99 })
      inspection.history.page = (_request, done) => {
        pages += 1
        done({ entries: [], next: null, firstKept: 100 })
      }
    })
    for (let taken = 0; taken < 5; taken += 1) {
      call.take()
      await turn()
    }
    expect([pages, feed.watched]).toEqual([1, true])
    apply(100)
    await turn()
    call.take()
    expect(call.messages.flatMap(({ lines }) => lines.map(({ index }) => index))).toEqual([100])
  })

  test('that does not read while it catches up keeps the node from no rest: nothing is asked every turn', async () => {
    const entry = { index: 1, term: 1, now: 5, kind: 'Tick', sessions: [], request: null } as never
    const { call, turn } = world({ sinceIndex: 1 }, ({ inspection }) => {
      inspection.history.page = (_request, done) => done({ entries: [entry], next: 2, firstKept: 1 })
    })
    call.take()
    await turn()
    const immediates = vi.spyOn(globalThis, 'setImmediate')
    try {
      const turns = 20
      for (let count = 0; count < turns; count += 1) await turn()
      expect(immediates.mock.calls.length).toBe(turns)
    } finally {
      immediates.mockRestore()
    }
  })

  test('that catches up where too many pages are read is told so, by a node that goes on to serve others', () => {
    const node = new FakeNode()
    node.inspection.history.page = (_request, done) => done('OVERLOADED')
    const gateway = new SessionGateway(node, { ...parserOf(() => 1), codec: sessionCodec, clock: realClock })
    const watch = new OperatorService(gateway).implementation['Watch'] as unknown as (call: Call) => void
    for (let count = 0; count < 20; count += 1) {
      const call = Object.assign(new Call(), { request: { machines: [], sinceIndex: 1, limit: 0 } })
      watch(call)
      expect(call.failures).toEqual([expect.stringMatching(/^OVERLOADED: /)])
    }
  })

  test('ends in order at its limit, and with its call', async () => {
    const { call, apply, turn, feed } = world({ limit: 2 })
    for (const index of [1, 2, 3]) apply(index)
    expect(feed.watched).toBe(false)
    call.take()
    await turn()
    call.take()
    expect(call.messages[1]?.lines).toHaveLength(2)
    expect(call.ended).toBe(true)
    const gone = world()
    expect(gone.feed.watched).toBe(true)
    gone.call.emit('cancelled')
    expect(gone.feed.watched).toBe(false)
  })

  test('of a node that stops is told so', () => {
    const { stream, call } = world()
    stream.fail('NODE_STOPPED')
    expect(call.failures).toEqual([expect.stringMatching(/^NODE_STOPPED: /)])
  })
})

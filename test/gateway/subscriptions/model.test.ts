import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import { SUBSCRIBED_UNSENT_BYTES_MAX } from '../../../src/protocol/limits.ts'
import { expectSubsequence, type Truth } from '../../client/live-truth.ts'
import { sample } from '../../effort.ts'
import { attachAgain, attachedClient, command, connect, type Heard, worldOf } from '../recorder.ts'
import { dictionary } from './dictionary.ts'

const KEYS = ['a', 'b', 'c', 'd'] as const
const SESSIONS = 3
const QUERIES = ['value', 'rows', 'first', 'last', 'count', 'asker', 'asker if'] as const

/** What a query is asked with: a key, and for ranges the end. */
interface Asked {
  readonly query: (typeof QUERIES)[number]
  readonly from: string
  readonly to: string
}

type Step =
  /** Commands of one run of entries. */
  | { readonly kind: 'write'; readonly writes: readonly (readonly [name: string, key: string, value: Value])[] }
  | { readonly kind: 'subscribe'; readonly session: number; readonly asked: Asked }
  | { readonly kind: 'unsubscribe'; readonly session: number; readonly at: number }
  /** Too much is unsent to the session, or nothing is. */
  | { readonly kind: 'slow' | 'drained'; readonly session: number }
  /** The connection breaks: the session attaches on another one, and subscribes again from the index that it has seen. */
  | { readonly kind: 'reconnect'; readonly session: number }

const key = fc.constantFrom(...KEYS)
const session = fc.nat(SESSIONS - 1)
const write = fc.tuple(fc.constantFrom('set', 'set', 'delete', 'take-back'), key, fc.constantFrom<Value[]>(1, 2, true))
const asked = fc.record({ query: fc.constantFrom(...QUERIES), from: key, to: fc.constantFrom('c', 'e') })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('write' as const), writes: fc.array(write, { maxLength: 4 }) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('subscribe' as const), session, asked }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unsubscribe' as const), session, at: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('slow' as const, 'drained' as const), session }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reconnect' as const), session }) },
)

/** The reference: rows in a plain map, and what each query answers of them. */
function answerOf(rows: ReadonlyMap<string, Value>, { query, from, to }: Asked, principal: string): Value {
  const between = [...rows].filter(([each]) => each >= from && each < to).sort(([a], [b]) => (a < b ? -1 : 1))
  switch (query) {
    case 'value':
      return rows.get(from) ?? null
    case 'rows':
      return between
    case 'first':
      return between.slice(0, 1)
    case 'last':
      return between.slice(-1)
    case 'count':
      return between.length
    case 'asker':
      return principal
    case 'asker if':
      return rows.get(from) === true ? principal : null
  }
}

/** What one subscription was told; one that is sent again after a reconnect is another one, from the index it has seen. */
interface Followed {
  readonly asked: Asked
  readonly session: number
  readonly id: number
  readonly minIndex: number
  readonly told: Heard[]
  over: boolean
}

class World {
  private readonly world = worldOf({ machine: dictionary() })
  private readonly rows = new Map<string, Value>()
  /** The rows after each entry, by index. */
  private readonly states = new Map<number, ReadonlyMap<string, Value>>()
  private readonly clients = Array.from({ length: SESSIONS }, (_, at) => {
    const secret = Buffer.alloc(32, at + 1)
    return { ...attachedClient(this.world, { secret, principal: `user:${at}` }), secret, nonce: 1 }
  })
  private readonly followed: Followed[] = []
  private nextId = 1
  private requestId = 0
  private noted = 0

  constructor() {
    this.note()
  }

  run(steps: readonly Step[]): void {
    for (const each of steps) {
      this.take(each)
      this.note()
      this.hear()
    }
    for (const [at] of this.clients.entries()) this.take({ kind: 'drained', session: at })
    this.hear()
  }

  /** Each was told answers of the reference, gap-free or with a word, and at the end the one of now. */
  check(): void {
    for (const { asked: of, session: at, told, over, minIndex } of this.followed) {
      const truth: Truth = new Map()
      for (const [index, rows] of this.states) truth.set(index, answerOf(rows, of, `user:${at}`))
      const changes = told.map(([kind, , index, value]) => ({
        kind: kind === 'changed' ? ('value' as const) : ('compacted' as const),
        index: Number(index),
        value: value as Value,
      }))
      expectSubsequence(changes, truth)
      expect(changes[0]?.index ?? minIndex).toBeGreaterThanOrEqual(minIndex)
      if (!over) expect(changes.at(-1)?.value).toEqual([...truth].at(-1)?.[1])
    }
  }

  private take(each: Step): void {
    if (each.kind === 'write') return this.write(each.writes)
    const client = this.clients[each.session]
    if (client === undefined) return
    const own = this.followed.filter((one) => one.session === each.session && !one.over)
    switch (each.kind) {
      case 'subscribe':
        return this.subscribe(each.session, each.asked, 0)
      case 'unsubscribe': {
        const one = own[each.at % Math.max(1, own.length)]
        if (one === undefined) return
        this.hear()
        one.over = true
        return client.connection.receiveUnsubscribe(one.id)
      }
      case 'slow':
        client.recorder.unsentBytes = SUBSCRIBED_UNSENT_BYTES_MAX + 1
        return
      case 'drained':
        client.recorder.unsentBytes = 0
        return client.connection.drained()
      case 'reconnect': {
        this.hear()
        client.connection.end()
        client.nonce += 1
        const { session: numbers, epoch, nonce, secret } = client
        Object.assign(client, attachAgain(this.world, connect(this.world), numbers, epoch, nonce, secret))
        this.note()
        for (const one of own) {
          one.over = true
          this.subscribe(one.session, one.asked, Number(one.told.at(-1)?.[2] ?? 0))
        }
      }
    }
  }

  private subscribe(of: number, asked: Asked, minIndex: number): void {
    const { query, from, to } = asked
    const id = this.nextId
    this.nextId += 1
    this.followed.push({ asked, session: of, id, minIndex, told: [], over: false })
    this.clients[of]?.connection.receiveSubscribe({
      kind: 'subscribe',
      channel: 1,
      subscriptionId: id,
      incarnation: 0,
      minIndex,
      machine: 't',
      query,
      input: sessionCodec.encodeValue([from, to]),
    })
  }

  private write(writes: readonly (readonly [name: string, key: string, value: Value])[]): void {
    for (const [name, ...input] of writes)
      this.clients[0]?.connection.receiveRequest(command((this.requestId += 1), name, input))
    const { node } = this.world
    const first = node.machine.appliedIndex + 1
    node.run()
    for (const [at, [name, row, value]] of writes.entries()) {
      if (name === 'set') this.rows.set(row, value)
      if (name === 'delete') this.rows.delete(row)
      this.states.set(first + at, new Map(this.rows))
      this.noted = first + at
    }
  }

  /** Entries that changed no row. */
  private note(): void {
    for (const last = this.world.node.machine.appliedIndex; this.noted < last; this.noted += 1)
      this.states.set(this.noted + 1, new Map(this.rows))
  }

  private hear(): void {
    for (const { recorder } of this.clients)
      for (const heard of recorder.take())
        if (heard[0] === 'changed' || heard[0] === 'compacted')
          this.followed.find(({ id }) => id === heard[1])?.told.push(heard)
  }
}

test('whatever is written, slow, cut or closed, each subscriber is told what the reference answers, gap-free or with a word', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const world = new World()
      world.run(steps)
      world.check()
    }),
    { numRuns: sample(300) },
  )
})

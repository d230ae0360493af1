import { describe, expect, test } from 'vitest'
import { cyclesOf } from '../../src/history/append/cycles.ts'
import { REASON } from '../../src/history/append/dependencies.ts'
import { type Activity, lackingActivity } from '../../src/history/properties/activity.ts'
import { checkDurability, type ToldRequest } from '../../src/history/properties/durability.ts'
import { checkSet } from '../../src/history/properties/element-set.ts'
import { checkExactlyOnce } from '../../src/history/properties/exactly-once.ts'
import { checkServerRequests, type RequestEvent } from '../../src/history/properties/server-requests.ts'
import { checkSessionLives, type SessionEvent } from '../../src/history/properties/session-lives.ts'
import { type Verdict, worstOf } from '../../src/history/verdict.ts'
import { done, event, history } from './events.ts'
import { PLANTED } from './planted.ts'

const namesOf = (verdict: Verdict): readonly string[] =>
  verdict.kind === 'violated' ? verdict.anomalies.map(({ name }) => name) : [verdict.kind]

describe('a planted anomaly is found under its name, and the clean history of the same shape is not blamed', () => {
  test.each(PLANTED)('$name', ({ anomaly, check, clean, spoiled }) => {
    expect(check(clean)).toEqual({ kind: 'ok' })
    expect(namesOf(check(spoiled))).toContain(anomaly)
  })

  test('there are more than twenty of them', () => {
    expect(PLANTED.length).toBeGreaterThan(30)
  })
})

describe('a set', () => {
  test('of which nothing was read is unknown, and what no set does is refused', () => {
    expect(checkSet([])).toEqual({ kind: 'unknown', why: 'no read was answered' })
    expect(checkSet(history(done(0, 'add', 1, 1), event('invoke', 0, 'read', null))).kind).toBe('unknown')
    expect(() => checkSet(history(done(0, 'add', 1, 1), done(0, 'conj', 2, 2), done(0, 'read', null, [1])))).toThrow(
      'event 2: no set is asked to conj',
    )
  })
})

describe('cycles', () => {
  /** `edges[from]` are those that must stand behind it; counts how many were looked at. */
  function counted(edges: readonly (readonly number[])[], reason: number) {
    const looks = { count: 0 }
    const dependencies = edges.map((to) => {
      const map = new Map(to.map((each) => [each, reason]))
      const edgesOf = map[Symbol.iterator].bind(map)
      map[Symbol.iterator] = () => {
        looks.count += map.size
        return edgesOf()
      }
      return map
    })
    return { looks, dependencies }
  }
  const ring = (size: number): number[][] => Array.from({ length: size }, (_, at) => [(at + 1) % size])

  test('are not looked for once one of two is found, nor from all edges of a large knot', () => {
    const [first = [], second = [], ...rest] = ring(2000)
    const pair = counted([first, [0, ...second], ...rest], REASON.ww)
    expect(cyclesOf(pair.dependencies)).toMatchObject([{ name: 'G0', transactions: { length: 2 } }])
    expect(pair.looks.count).toBeLessThan(50_000)
    const long = counted(ring(2000), REASON.rw)
    expect(cyclesOf(long.dependencies)).toMatchObject([{ name: 'G2', transactions: { length: 2000 } }])
    expect(long.looks.count).toBeLessThan(1.1 * 1_000_000)
  })
})

describe('durability', () => {
  const told: readonly ToldRequest[] = [
    { request: 'a', outcome: 'ok' },
    { request: 'b', outcome: 'failed' },
    { request: 'c', outcome: 'unknown' },
    { request: 'd', outcome: 'unknown' },
  ]
  const judged = (...effects: readonly [string, number][]): readonly string[] =>
    namesOf(checkDurability(told, new Map(effects)))

  test('what was acknowledged is there once, what failed is not, what is unknown may be', () => {
    expect(judged(['a', 1], ['c', 1])).toEqual(['ok'])
    expect(judged(['c', 1])).toEqual(['lost'])
    expect(judged(['a', 1], ['b', 1])).toEqual(['phantom'])
    expect(judged(['a', 1], ['c', 2])).toEqual(['duplicated'])
    expect(judged(['a', 1], ['z', 1])).toEqual(['phantom'])
  })
})

describe('exactly once', () => {
  const reply = (request: string, ...bytes: readonly number[]) => ({ request, bytes: Uint8Array.from(bytes) })
  const judged = (replies: Parameters<typeof checkExactlyOnce>[0], ...effects: readonly string[]): readonly string[] =>
    namesOf(checkExactlyOnce(replies, effects))

  test('every copy is answered alike, and executed once', () => {
    expect(judged([reply('a', 1, 2), reply('b', 3), reply('a', 1, 2)], 'a', 'b', 'c')).toEqual(['ok'])
    expect(judged([reply('a', 1, 2), reply('a', 1, 3)], 'a')).toEqual(['unequal-reply'])
    expect(judged([reply('a', 1, 2), reply('a', 1)], 'a')).toEqual(['unequal-reply'])
    expect(judged([reply('a', 1), reply('a', 1, 2)], 'a')).toEqual(['unequal-reply'])
    expect(judged([reply('a', 1)], 'a', 'a')).toEqual(['duplicated'])
    expect(judged([reply('a', 1)])).toEqual(['lost'])
  })
})

describe('sessions', () => {
  const at = (kind: SessionEvent['kind'], session: number, logIndex: number): SessionEvent => ({
    kind,
    session,
    logIndex,
  })
  const judged = (...events: readonly SessionEvent[]): readonly string[] => namesOf(checkSessionLives(events))

  test('nothing is applied before a session is open or after it has ended', () => {
    const life = [at('opened', 1, 1), at('applied', 1, 2), at('ended', 1, 3)]
    expect(judged(...life, at('opened', 2, 4), at('applied', 2, 5))).toEqual(['ok'])
    expect(judged(at('applied', 1, 1), at('opened', 2, 2))).toEqual(['before-open'])
    expect(judged(...life, at('applied', 1, 4))).toEqual(['after-end'])
    expect(judged(...life, at('ended', 1, 4))).toEqual(['ended-twice'])
    expect(judged(...life, at('opened', 1, 4))).toEqual(['opened-twice'])
    expect(judged(at('opened', 1, 5), at('applied', 1, 4))).toEqual(['out-of-order'])
  })
})

describe('server requests', () => {
  const came = (id: number, content = `c${id}`): RequestEvent => ({ kind: 'delivered', id, content })
  const acked = (id: number): RequestEvent => ({ kind: 'acknowledged', id })
  const judged = (emitted: number, ...events: readonly RequestEvent[]): readonly string[] =>
    namesOf(
      checkServerRequests(
        events,
        Array.from({ length: emitted }, (_, at) => `c${at + 1}`),
      ),
    )

  test('come in order, without a gap, again only after a resumption, and are acknowledged once', () => {
    const resumed: RequestEvent = { kind: 'resumed' }
    expect(judged(3, came(1), came(2), acked(1), resumed, came(2), acked(2), came(3), acked(3))).toEqual(['ok'])
    expect(judged(2, came(2), came(1))).toEqual(['gap', 'repeated'])
    expect(judged(1, came(1), came(1))).toEqual(['repeated'])
    expect(judged(1, came(1), resumed, came(1, 'other'))).toEqual(['changed'])
    expect(judged(3, came(1), came(2), acked(1), resumed, came(3))).toEqual(['not-resumed'])
    expect(judged(1, came(1), acked(1), acked(1))).toEqual(['acked-twice'])
    expect(judged(1, acked(1), came(1))).toContain('ack-of-nothing')
    expect(judged(2, came(1))).toEqual(['undelivered'])
    expect(judged(1, came(1), came(2))).toEqual(['phantom'])
  })
})

describe('what was found', () => {
  test('a run in which too little happened does not count, and says why', () => {
    const happened: Activity = { operations: 10, elections: 0 }
    expect(lackingActivity(happened, { operations: 10 })).toEqual([])
    expect(lackingActivity(happened, { operations: 10, elections: 1, installs: 2 })).toEqual([
      'elections 0, and 1 at least are needed',
      'installs 0, and 2 at least are needed',
    ])
  })

  test('an anomaly counts for more than not knowing, and not knowing for more than silence', () => {
    const [ok, unknown]: readonly Verdict[] = [{ kind: 'ok' }, { kind: 'unknown', why: 'too long' }]
    const wrong: Verdict = { kind: 'violated', anomalies: [{ name: 'lost', text: '', operations: [] }] }
    expect(worstOf([ok, ok] as Verdict[])).toEqual(ok)
    expect(worstOf([ok, unknown] as Verdict[])).toEqual(unknown)
    expect(worstOf([unknown as Verdict, wrong, wrong])).toEqual({
      ...wrong,
      anomalies: [...wrong.anomalies, ...wrong.anomalies],
    })
  })
})

import { describe, expect, test } from 'vitest'
import type { Value } from '../../../../src/codec/value/value.ts'
import { A, at, B, type Answer, type World } from '../world.ts'

/** The largest texts that commands take: every answer fits, or has a next page (a response has 1 MiB at most). */

/** Three bytes each in UTF-8, the most that a unit of UTF-16 has. */
const long = (length: number): string => '日'.repeat(length)

/** Every item of a query, page by page. */
function allPages(world: World, query: string, listOf: (answer: Answer) => Value, by = A): readonly Answer[] {
  const found: Answer[] = []
  let after: Value = null
  for (let page = 0; page < 100; page += 1) {
    const answer = world.answer(by, query, { after })
    found.push(...(listOf(answer) as readonly Answer[]))
    after = answer['next'] ?? null
    if (after === null) return found
  }
  throw new Error('the pages have no end')
}

describe('answers with the largest texts', () => {
  test('vessel: two hundred events and fifty boundaries, by pages, and a retrieval of the latest fifty', () => {
    const world = at(1)
    const emotions = Array.from({ length: 10 }, () => long(50))
    for (let count = 0; count < 200; count += 1) {
      world.ok(A, 'recordEvent', { description: long(2_000), attributedTo: 'OWN', emotions })
    }
    for (let count = 0; count < 50; count += 1) {
      world.ok(A, 'recordBoundary', { description: long(500), nonNegotiable: true })
    }
    const events = allPages(world, 'vessel', ({ events: list }) => list ?? null)
    expect(events.map(({ id }) => id)).toEqual(Array.from({ length: 200 }, (_, number) => `evt-${number + 1}`))
    const boundaries = allPages(world, 'vessel', ({ boundaries: list }) => list ?? null)
    expect(boundaries.map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, number) => `bnd-${number + 1}`))
    const queries = Array.from({ length: 20 }, () => ({
      ...{ type: 'user_event', vessel: 'user', source: 'structured', userId: A },
    }))
    const { bundle } = world.ok(A, 'retrieve', { queries }) as { bundle: readonly Answer[] }
    expect(bundle).toHaveLength(20)
    expect(world.answer(A, 'retrieved', { seq: 20 })['items']).toHaveLength(50)
    for (const stage of [1, 2]) world.leave(stage)
    expect(world.task('needs.synthesize').payload).toMatchObject({ events: { length: 20 } })
  })

  test('consents, sharedContent, needs and the search for common ground: all that an owner may share', () => {
    const world = at(3)
    for (const user of [A, B]) {
      world.ok(user, 'recordBoundary', { description: 'raw', nonNegotiable: true })
      for (let count = 0; count < 180; count += 1) world.granted(user, 'BOUNDARY', 'bnd-1', long(1_000))
      const needIds = Array.from({ length: 20 }, () => {
        const { needId = null } = world.ok(user, 'addNeed', { need: 'n', category: 'SAFETY', description: long(200) })
        return needId
      })
      const adjusted = needIds.map((needId) => ({ needId, confirmed: true, adjustment: long(300) }))
      world.ok(user, 'confirmNeeds', { confirmations: adjusted })
      expect(world.ok(user, 'shareNeeds', { needIds })['shared']).toBe(20)
    }
    expect(world.task('common_ground.analyze').payload).toMatchObject({ needs: { length: 40 } })
    expect(allPages(world, 'consents', ({ consents }) => consents ?? null)).toHaveLength(200)
    expect(allPages(world, 'sharedContent', ({ own }) => own ?? null)).toHaveLength(200)
    expect(allPages(world, 'sharedContent', ({ partner }) => partner ?? null)).toHaveLength(200)
    expect(world.answer(A, 'needs')['own']).toHaveLength(20)
    expect(world.answer(A, 'needs')['partner']).toHaveLength(20)
  })

  test('requests that were not granted, by pages', () => {
    const world = at(1)
    world.ok(A, 'recordEvent', { description: 'raw', attributedTo: 'OWN' })
    const given = { owner: A, contentType: 'EVENT_SUMMARY', originalId: 'evt-1', transformedPreview: long(1_000) }
    for (let count = 1; count <= 200; count += 1) {
      world.ok('worker:guide', 'proposeConsent', given)
      if (count <= 100) world.ok(A, 'decideConsent', { consentId: `ask-${count}`, decision: 'DENIED' })
    }
    const found = allPages(world, 'consents', ({ consents }) => consents ?? null)
    expect(found.map(({ id }) => id)).toEqual(Array.from({ length: 200 }, (_, number) => `ask-${number + 1}`))
  })

  test('the pool, common ground and agreements', () => {
    const world = at(3)
    const [needA, needB] = [A, B].map((user) => world.share(user, world.need(user)))
    const item = { need: long(200), category: 'SAFETY', description: long(200), needA: needA ?? '', needB: needB ?? '' }
    for (let count = 0; count < 20; count += 1) world.ok(A, 'proposeCommonGround', item)
    expect(world.answer(B, 'commonGround')['items']).toHaveLength(20)
    world.ok(B, 'confirmCommonGround', { confirmations: [{ cgId: 'cg-1', confirmed: true }] })
    for (const user of [A, B]) world.ok(user, 'advanceStage', { fromStage: 3, toStage: 4 })
    const terms = { description: long(800), duration: long(100), measureOfSuccess: long(300) }
    for (let count = 0; count < 50; count += 1) world.ok(A, 'proposeStrategy', terms)
    expect(world.answer(B, 'strategies')['strategies']).toHaveLength(50)
    for (const user of [A, B]) world.ok(user, 'markStrategiesReady', { declareNone: true })
    for (const user of [A, B]) world.ok(user, 'submitRanking', { rankedIds: ['str-1'] })
    for (let count = 0; count < 50; count += 1) world.ok(A, 'createAgreement', { ...terms, type: 'CHECK_IN' })
    expect(world.ask(B, 'agreements')).toMatchObject({ code: 'ok', value: { length: 50 } })
    const queries = [{ type: 'agreement', vessel: 'shared', source: 'structured' }]
    expect(world.retrieve(B, queries).bundle).toMatchObject([{ items: { length: 50 } }])
  })

  test('history: a hundred messages, by pages', () => {
    const world = at(1)
    for (let count = 0; count < 100; count += 1) world.ok(A, 'postMessage', { text: long(4_000) }, 'session')
    const seqs: number[] = []
    for (;;) {
      const { code, value } = world.ask(A, 'history', { afterSeq: seqs.at(-1) ?? 0, limit: 100 }, 'session')
      expect(code).toBe('ok')
      const page = (value as readonly { seq: number }[]).map(({ seq }) => seq)
      if (page.length === 0) break
      seqs.push(...page)
    }
    expect(seqs).toEqual(Array.from({ length: 100 }, (_, number) => number + 1))
  })
})

import { describe, expect, test } from 'vitest'
import { A, B, SID, World, QUEUE_DEADLINE_MS, at } from '../world.ts'

describe('domain.md §2.3 results of tasks', () => {
  const found = (need: string) => ({
    need,
    category: 'SAFETY',
    description: need,
    evidence: ['said so'],
    confidence: 80,
  })

  test('needs.synthesize: gets own words alone, and brings needs that nobody else sees', () => {
    const world = new World().both(1)
    for (const user of [A, B]) {
      world.ok(user, 'recordEvent', { description: `event of ${user}`, attributedTo: 'OWN' })
      world.ok(user, 'recordBoundary', { description: `boundary of ${user}`, nonNegotiable: true })
      world.ok(user, 'postMessage', { text: `message of ${user}` }, 'session')
    }
    for (const stage of [1, 2]) world.leave(stage)
    expect(world.task('needs.synthesize').payload).toEqual({
      sid: SID,
      user: A,
      events: [`event of ${A}`],
      boundaries: [`boundary of ${A}`],
      messages: [`message of ${A}`],
    })
    world.analyst()
    world.complete('needs.synthesize', { needs: [found('rest'), found('air')] })
    expect(world.answer(A, 'needs')['own']).toMatchObject([{ source: 'AI', aiConfidence: 80 }, { need: 'air' }])
    expect(world.answer(B, 'needs')).toEqual({ own: [], partner: [] })
    expect(world.answer(A, 'gates', { stage: 3 })['needsConfirmed']).toBe(false)
  })

  test('needs.synthesize: a person who has gone on is not given needs that could not be decided', () => {
    const world = at(3)
    world.findCommonGround()
    world.ok(A, 'advanceStage', { fromStage: 3, toStage: 4 })
    expect(
      world.harness.tasks.flatMap(({ kind, payload }) => (kind === 'needs.synthesize' ? [payload] : [])),
    ).toMatchObject([{ user: B }])
  })

  test('needs.synthesize: without a worker the list is empty, and needs are added by hand', () => {
    const world = at(3)
    world.harness.advance(QUEUE_DEADLINE_MS)
    expect(world.harness.tasks).toEqual([])
    expect(world.answer(A, 'needs')['own']).toEqual([])
    expect(world.need(A)).toBe('need-1')
  })

  test('common_ground.analyze: an item with an inactive source, or with none of one of them, is dropped', () => {
    const world = at(3)
    const [ofA, again, ofB] = [
      world.share(A, world.need(A)),
      world.share(A, world.need(A, 'air')),
      world.share(B, world.need(B)),
    ]
    world.ok(A, 'revokeConsent', { consentId: again })
    const item = (sourceNeedA: string, sourceNeedB: string) => ({
      need: 'n',
      category: 'SAFETY',
      description: 'd',
      sourceNeedA,
      sourceNeedB,
    })
    world.analyst()
    world.told(A)
    world.complete('common_ground.analyze', {
      items: [item(again, ofB), item(ofA, ofA), item(ofA, 'con-9'), item(ofB, ofA)],
    })
    expect(world.answer(B, 'commonGround')).toMatchObject({
      items: [{ id: 'cg-1', sourceNeedA: ofB }],
      analysisComplete: true,
    })
    expect(world.told(A)).toContainEqual(['common_ground.ready', { sid: SID, count: 1 }])
  })

  test('common_ground.analyze: without a worker it is complete and empty', () => {
    const world = at(3)
    world.share(A, world.need(A))
    world.share(B, world.need(B))
    world.harness.advance(QUEUE_DEADLINE_MS)
    expect(world.answer(A, 'commonGround')).toEqual({ items: [], analysis: 'DONE', analysisComplete: true })
  })

  test('strategies.suggest: what comes after the pool is closed is dropped', () => {
    const world = at(4)
    world.ok(A, 'requestSuggestions')
    world.strategy(A)
    world.ok(A, 'markStrategiesReady')
    world.ok(B, 'markStrategiesReady', { declareNone: true })
    world.analyst()
    world.complete('strategies.suggest', { strategies: [{ description: 'late' }] })
    expect(world.answer(A, 'strategies')['strategies']).toHaveLength(1)
  })

  test('a result that arrives after the dialogue was closed is STALE_TASK', () => {
    const world = at(4)
    world.ok(A, 'requestSuggestions')
    const task = world.task('strategies.suggest')
    world.analyst()
    world.ok(B, 'withdraw', {}, 'session')
    expect(world.of('worker:eye').complete(task, { strategies: [] })).toMatchObject({ code: 'STALE_TASK' })
  })
})

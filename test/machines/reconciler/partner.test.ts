import { describe, expect, test } from 'vitest'
import { A, B, DAY, HOUR, GAPS, World, type Answer } from './world.ts'

const stepsOf = (world: World, user: string): readonly Answer[] =>
  world.answer(user, 'audit')['steps'] as readonly Answer[]

/** Sends A's attempt back, and has it shown anew. */
function revise(world: World, content: string): void {
  world.ok(B, 'validate', { validated: false, feedback: 'no' })
  world.ok(A, 'resubmit', { content })
  world.analysis(A)
}

describe('domain.md §4.6 what the record of one tells of the other', () => {
  test('steps are numbered without a gap, whatever the partner did that is not shown', () => {
    const world = new World().put('REFINING')
    world.ok(A, 'resubmit', { content: 'in other words' })
    world.analysis(A).partnerReady()
    revise(world, 'and in others')
    for (const user of [A, B]) {
      const steps = stepsOf(world, user)
      expect(steps.map(({ seq }) => seq)).toEqual(steps.map((_, position) => position + 1))
    }
    expect(stepsOf(world, B).filter(({ direction }) => direction === 'partner')).toMatchObject([
      { from: 'IN_PROGRESS', to: 'REVEALED', trigger: 'reveal' },
      { from: 'REVEALED', to: 'IN_PROGRESS', trigger: 'validate' },
      { from: 'IN_PROGRESS', to: 'REVEALED', trigger: 'reveal' },
    ])
  })

  test('every page is full up to the last one: none is short because of what is not shown', () => {
    const world = new World().put('REVEALED')
    revise(world, 'in other words')
    const all = stepsOf(world, B)
    const paged: Answer[] = []
    for (let afterSeq: unknown = 0; afterSeq !== null; ) {
      const { steps, nextAfterSeq } = world.answer(B, 'audit', { afterSeq: Number(afterSeq), limit: 1 })
      expect((steps as readonly Answer[]).length).toBe(nextAfterSeq === null ? 0 : 1)
      paged.push(...(steps as readonly Answer[]))
      afterSeq = nextAfterSeq
    }
    expect(paged).toEqual(all)
  })

  test('a decline and an offer that ran out leave the same record with the guesser, the reveal included', () => {
    const [declined, expired] = [new World().put('AWAITING_SHARING'), new World().put('AWAITING_SHARING')]
    for (const world of [declined, expired]) world.partnerReady()
    declined.respond('decline')
    expired.harness.advance(7 * DAY)
    const seen = (world: World) => stepsOf(world, A).map(({ at: _when, ...step }) => step)
    expect(seen(declined).at(-1)).toMatchObject({ to: 'REVEALED' })
    expect(seen(declined)).toEqual(seen(expired))
  })

  test.each([
    ['before anything was shown', 'REFINING'],
    ['after it', 'REVEALED'],
  ])('why a guesser goes on without other words is read by the guesser alone: %s', (_when, status) => {
    const world = new World().put(status)
    if (status === 'REVEALED') world.ok(B, 'validate', { validated: false, feedback: 'no' })
    world.told(B)
    world.ok(A, 'skipRefinement', { willingToAccept: false, reason: 'SECRET REASON' })
    expect(world.answer(A, 'status')['own']).toMatchObject({ skipReason: 'SECRET REASON' })
    const seen = [world.told(B), world.ask(B, 'status'), world.ask(B, 'audit'), world.messages(B)]
    expect(JSON.stringify(seen)).not.toContain('SECRET REASON')
  })
})

describe('domain.md §4.5 an attempt whose consent was taken back after it was shown', () => {
  const hidden = (): World => {
    const world = new World().put('REVEALED')
    world.ok(A, 'revokeConsent', { consentId: 'con-1' }, 'gates')
    return world
  }

  test('is not announced while nobody may read it, and is shown in its new words when it is shared again', () => {
    const world = new World().sentBack()
    world.ok(A, 'revokeConsent', { consentId: 'con-1' }, 'gates')
    world.told(B)
    world.ok(A, 'resubmit', { content: 'NEW WORDS' })
    world.analysis(A)
    expect(world.status()).toBe('READY')
    expect(world.topics(B)).toEqual([])
    expect(world.ok(A, 'consent', { draftVersion: 1 })).toEqual({
      status: 'REVEALED',
      attemptId: 'att-1',
      waitingForPartner: false,
    })
    expect(world.topics(B)).toEqual(['partner.empathy_shared', 'empathy.revealed'])
    expect(world.answer(B, 'status')['partner']).toMatchObject({ status: 'REVEALED', statement: 'NEW WORDS' })
    expect(JSON.stringify(world.answer(B, 'sharedContent', {}, 'gates'))).toContain('NEW WORDS')
    world.ok(B, 'validate', { validated: true })
    expect(world.status()).toBe('VALIDATED')
  })

  test('is asked about again when it is shared again, and the subject is reminded 72 h after that', () => {
    const world = hidden()
    world.harness.advance(100 * HOUR)
    world.told(B)
    world.ok(A, 'consent', { draftVersion: 1 })
    const told = world.told(B)
    expect(told.map(([topic]) => topic)).toEqual(['partner.empathy_shared', 'empathy.revealed'])
    expect(told[1]?.[1]).toMatchObject({ role: 'subject', needsValidation: true })
    world.harness.advance(72 * HOUR - 1)
    expect(world.topics(B)).toEqual([])
    world.harness.advance(1)
    expect(world.topics(B)).toEqual(['empathy.validation_reminder'])
  })

  test('that was found right asks nobody anything when it is shared again', () => {
    const world = new World().put('VALIDATED')
    world.ok(A, 'revokeConsent', { consentId: 'con-1' }, 'gates')
    world.told(B)
    world.ok(A, 'consent', { draftVersion: 1 })
    expect(world.topics(B)).toEqual(['partner.empathy_shared'])
    world.harness.advance(30 * DAY)
    expect(world.topics(B)).not.toContain('empathy.validation_reminder')
  })

  test('leaves no timer behind while it is hidden', () => {
    expect(hidden().harness.timers.filter(({ kind }) => kind === 'validation-reminder')).toHaveLength(1)
  })

  test('a repeat of the consent that shows it again is answered as that one was', () => {
    const world = hidden()
    const again = world.ok(A, 'consent', { draftVersion: 1 })
    expect(world.ok(A, 'consent', { draftVersion: 1 })).toEqual({ ...again, duplicate: true })
  })
})

describe('domain.md §4.4 what a worker is given of somebody’s own words', () => {
  test('the words themselves, however much the product said since', () => {
    const world = new World().put('REVEALED')
    world.ok(B, 'postMessage', { text: 'MY WORDS' }, 'session')
    for (let round = 1; round <= 8; round += 1) {
      world.ok(A, 'validate', { validated: false, feedback: `no ${round}` })
      const { status } = world.ok(B, 'resubmit', { content: `words ${round}` })
      if (status === 'ANALYZING') world.analysis(B, GAPS)
      if (world.status(B) === 'AWAITING_SHARING') world.respond('decline', B)
    }
    expect(world.messages(B).length).toBeGreaterThan(21)
    world.ok(B, 'validate', { validated: false, feedback: 'no' })
    world.ok(A, 'resubmit', { content: 'other words' })
    const { subjectStage2 } = world.task().payload as Answer
    expect(subjectStage2).toMatchObject([{ text: 'MY WORDS' }])
    world.analysis(A)
    for (const user of [A, B]) world.ok(user, 'validate', { validated: true })
    for (const user of [A, B]) world.ok(user, 'advanceStage', { fromStage: 2, toStage: 3 }, 'gates')
    const tasks = world.harness.tasks.map(({ payload }) => payload as Answer)
    expect(tasks.find(({ user }) => user === B)?.['messages']).toEqual(['MY WORDS'])
  })

  test('the latest twenty, in the order in which they were written', () => {
    const world = new World().put('HELD')
    for (let number = 1; number <= 25; number += 1) world.ok(B, 'postMessage', { text: `w${number}` }, 'session')
    world.feelHeard(B)
    const { subjectStage1 } = world.task().payload as Answer
    const texts = (subjectStage1 as readonly Answer[]).map(({ text }) => text)
    expect(texts).toEqual(Array.from({ length: 20 }, (_, position) => `w${position + 6}`))
  })
})

describe('domain.md §4.9 a dialogue in which nothing was ever shared', () => {
  test('gets no rows and no timers by a pause', () => {
    const world = new World()
    world.ok(A, 'pause', {}, 'session')
    world.ok(A, 'resume', {}, 'session')
    expect(world.rows('directions')).toEqual([])
    expect(world.rows('exchanges')).toEqual([])
  })
})

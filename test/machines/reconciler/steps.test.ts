import { describe, expect, test } from 'vitest'
import { A, ANALYST, B, DAY, GAPS, result, World, type Answer } from './world.ts'

/** What a step leaves behind. */
interface Left {
  readonly to: string | null
  readonly trigger: string
  /** The step's own record, and how many of this entry there are. */
  readonly steps?: number
  readonly said?: { readonly [reader: string]: readonly string[] }
  readonly told?: { readonly [reader: string]: readonly string[] }
}

const share = (world: World): void => {
  world.ok(A, 'consent', { draftVersion: 1 })
}

const STEPS: readonly (readonly [name: string, before: () => World, act: (world: World) => unknown, left: Left])[] = [
  [
    'T1 ∅ → HELD by consent',
    () => new World().draft(A),
    share,
    { to: 'HELD', trigger: 'consent', said: { [A]: ['EMPATHY_STATEMENT'] }, told: { [B]: ['partner.empathy_shared'] } },
  ],
  [
    'T2 HELD → ANALYZING when the subject feels heard',
    () => new World().put('HELD'),
    (world) => world.ok(B, 'confirmFeelHeard', { confirmed: true }, 'gates'),
    { to: 'ANALYZING', trigger: 'feel-heard', told: { [A]: ['partner.stage_completed'] } },
  ],
  [
    'T2 inside consent when the subject felt heard before',
    () => new World().feelHeard(B).draft(A),
    share,
    {
      to: 'ANALYZING',
      trigger: 'feel-heard',
      steps: 2,
      said: { [A]: ['EMPATHY_STATEMENT'] },
      told: { [B]: ['partner.empathy_shared'] },
    },
  ],
  [
    'T3 ANALYZING → AWAITING_SHARING by a result that offers',
    () => new World().put('ANALYZING'),
    (world) => world.analysis(A, GAPS),
    {
      to: 'AWAITING_SHARING',
      trigger: 'analysis',
      told: {
        [A]: ['empathy.status_updated', 'empathy.partner_considering_share'],
        [B]: ['empathy.share_suggestion'],
      },
    },
  ],
  [
    'T4 ANALYZING → READY by a result without a gap',
    () => new World().put('ANALYZING'),
    (world) => world.analysis(A, result()),
    { to: 'READY', trigger: 'analysis', said: { [A]: ['ALIGNMENT_OK'] } },
  ],
  [
    'T4 ANALYZING → READY by a result of an optional offer about nothing',
    () => new World().put('ANALYZING'),
    (world) => world.analysis(A, result({ action: 'OFFER_OPTIONAL', focus: ' ' })),
    { to: 'READY', trigger: 'analysis', said: { [A]: ['ALIGNMENT_OK'] } },
  ],
  [
    'T4 ANALYZING → READY when it was offered before',
    () => {
      const world = new World().put('REFINING')
      world.ok(A, 'resubmit', { content: 'other words' })
      return world
    },
    (world) => world.analysis(A, GAPS),
    { to: 'READY', trigger: 'analysis', said: { [A]: ['WAITING_NEUTRAL'] } },
  ],
  [
    'T4 ANALYZING → READY when the analysis failed for good',
    () => new World().put('ANALYZING'),
    (world) => {
      for (const wait of ['5s', '15s', '0s'] as const) {
        world.of(ANALYST).fail(world.task(), 'FAILED')
        world.harness.advance(wait)
      }
    },
    { to: 'READY', trigger: 'analysis-failed', said: { [A]: ['WAITING_NEUTRAL'] } },
  ],
  [
    'T5 AWAITING_SHARING → REFINING by accepting',
    () => new World().put('AWAITING_SHARING'),
    (world) => world.respond('accept'),
    {
      to: 'REFINING',
      trigger: 'accept',
      said: { [A]: ['CONTEXT_INTRO', 'SHARED_CONTEXT', 'CONTEXT_REFLECTION'], [B]: ['SHARED_CONTEXT', 'SHARE_ACK'] },
      told: { [A]: ['empathy.refining'] },
    },
  ],
  [
    'T6 AWAITING_SHARING → READY by declining, and nobody is told',
    () => new World().put('AWAITING_SHARING'),
    (world) => world.respond('decline'),
    { to: 'READY', trigger: 'offer-closed' },
  ],
  [
    'T7 AWAITING_SHARING → READY when nobody answered, and nobody is told',
    () => new World().put('AWAITING_SHARING'),
    (world) => world.harness.advance(7 * DAY),
    { to: 'READY', trigger: 'offer-closed' },
  ],
  [
    'T8 REFINING → ANALYZING in other words',
    () => new World().put('REFINING'),
    (world) => world.ok(A, 'resubmit', { content: 'other words' }),
    { to: 'ANALYZING', trigger: 'resubmit', said: { [A]: ['EMPATHY_STATEMENT'] } },
  ],
  [
    'T10 REVEALED → VALIDATED when it is found right',
    () => new World().put('REVEALED'),
    (world) => world.ok(B, 'validate', { validated: true }),
    { to: 'VALIDATED', trigger: 'validate', told: { [A]: ['empathy.status_updated', 'partner.stage_completed'] } },
  ],
  [
    'T11 REVEALED → REFINING with feedback',
    () => new World().put('REVEALED'),
    (world) => world.ok(B, 'validate', { validated: false, feedback: 'no' }),
    {
      to: 'REFINING',
      trigger: 'validate',
      said: { [A]: ['VALIDATION_FRAMING', 'VALIDATION_FEEDBACK'] },
      told: { [A]: ['empathy.status_updated'] },
    },
  ],
  [
    'X1 REFINING → READY without other words, before anything was shown',
    () => new World().put('REFINING'),
    (world) => world.ok(A, 'skipRefinement', { willingToAccept: true }),
    { to: 'READY', trigger: 'skip' },
  ],
  [
    'X2 REFINING → VALIDATED without other words, after it',
    () => new World().sentBack(),
    (world) => world.ok(A, 'skipRefinement', { willingToAccept: true }),
    { to: 'VALIDATED', trigger: 'skip', told: { [A]: ['empathy.status_updated'] } },
  ],
  ...['HELD', 'ANALYZING', 'AWAITING_SHARING', 'REFINING', 'READY'].map(
    (status) =>
      [
        `X3 ${status} → ∅ by taking the consent back`,
        () => new World().put(status),
        (world: World) => world.ok(A, 'revokeConsent', { consentId: 'con-1' }, 'gates'),
        { to: null, trigger: 'revoke', told: { [B]: ['partner.consent_revoked'] } },
      ] as const,
  ),
]

const ownSteps = (world: World): readonly Answer[] => {
  const steps = world.answer(A, 'audit')['steps'] as readonly Answer[]
  return steps.filter(({ direction }) => direction === 'mine')
}

describe('domain.md §4.2 the steps, each with its record, its messages and who is told', () => {
  test.each(STEPS)('%s', (_name, before, act, left) => {
    const world = before()
    for (const user of [A, B]) world.told(user)
    const earlier = { steps: ownSteps(world).length, [A]: world.messages(A).length, [B]: world.messages(B).length }
    const from = world.status()
    act(world)
    expect(world.status()).toBe(left.to)
    const steps = ownSteps(world).slice(earlier.steps)
    expect(steps).toHaveLength(left.steps ?? 1)
    expect(steps[0]).toMatchObject({ from })
    expect(steps.at(-1)).toMatchObject({ to: left.to, trigger: left.trigger })
    expect(world.row('directions')).toMatchObject({ statusSeq: earlier.steps + (left.steps ?? 1) })
    for (const user of [A, B]) {
      expect(
        world
          .messages(user)
          .slice(earlier[user as typeof A])
          .map(({ said }) => said),
      ).toEqual(left.said?.[user] ?? [])
      expect(world.topics(user).filter((topic) => topic !== 'partner.advanced')).toEqual(left.told?.[user] ?? [])
    }
  })

  test('T9 READY → REVEALED: both in the entry in which the second one is READY, and both are told of each', () => {
    const world = new World().put('READY')
    world.consent(B)
    for (const user of [A, B]) world.told(user)
    expect([world.status(A), world.status(B)]).toEqual(['READY', 'ANALYZING'])
    world.analysis(B)
    expect([world.status(A), world.status(B)]).toEqual(['REVEALED', 'REVEALED'])
    for (const user of [A, B]) {
      expect(world.row('attempts', user)).toMatchObject({
        delivery: 'DELIVERED',
        revealedContent: `how ${user} sees it`,
      })
      expect(world.messages(user).at(-1)?.said).toBe('QUALITY_REVIEW_OK')
      const roles = world.told(user).map(([topic, { role = null }]) => [topic, role])
      expect([...roles].sort()).toEqual([
        ['empathy.revealed', 'guesser'],
        ['empathy.revealed', 'subject'],
      ])
    }
  })

  test('T9 says that there are gaps where no worker found none', () => {
    const world = new World().put('AWAITING_SHARING').respond('decline').partnerReady()
    expect(world.messages(B).at(-1)?.said).toBe('QUALITY_REVIEW_GAPS')
  })

  test('X3 takes task, offer and wording with it; what was counted and shared stays', () => {
    const world = new World().put('AWAITING_SHARING')
    world.ok(B, 'refineOffer', { offerId: 'off-1', instruction: 'shorter' })
    world.ok(A, 'revokeConsent', { consentId: 'con-1' }, 'gates')
    expect(world.offer()).toMatchObject({ status: 'EXPIRED', refineTask: null })
    expect(world.harness.tasks).toEqual([])
    expect(world.harness.timers.filter(({ machine }) => machine === 'reconciler')).toEqual([])
    expect(world.row('directions')).toMatchObject({ attempts: 1, analyses: 1 })
  })

  test('X3 of what was shown hides it, and its status stays', () => {
    const world = new World().put('REVEALED')
    world.ok(A, 'revokeConsent', { consentId: 'con-1' }, 'gates')
    expect([world.status(), world.row('attempts')?.['hidden']]).toEqual(['REVEALED', true])
  })

  test('one entry of several steps has a record and a number for each: breaker and an earlier reveal', () => {
    const world = new World().put('REVEALED')
    for (let round = 1; round <= 4; round += 1) {
      world.ok(B, 'validate', { validated: false, feedback: 'no' })
      const { status } = world.ok(A, 'resubmit', { content: `words ${round}` })
      if (status === 'ANALYZING') world.analysis(A)
    }
    const steps = ownSteps(world).slice(-3)
    expect(steps.map(({ from, to, trigger }) => [from, to, trigger])).toEqual([
      ['REFINING', 'ANALYZING', 'resubmit'],
      ['ANALYZING', 'READY', 'breaker'],
      ['READY', 'REVEALED', 'reveal'],
    ])
    expect(new Set(steps.map(({ at }) => at)).size).toBe(1)
    expect(world.row('directions')).toMatchObject({ breakerTripped: true, resubmits: 4, analyses: 4 })
  })
})

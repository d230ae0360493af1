import { describe, expect, test } from 'vitest'
import { A, ANALYST, B, GAPS, HOUR, World, type Answer, type Told } from './world.ts'

/** A notification of domain.md §4.8: who gets it, when, and its body beside sid and `exchange`. */
interface Row {
  readonly topic: string
  readonly when: string
  readonly to: string
  readonly before: () => World
  readonly act: (world: World) => unknown
  readonly body: Answer
}

const put = (status: string) => (): World => new World().put(status)
const status = (now: string, statusSeq: number, more: Answer = {}): Answer => ({
  direction: 'mine',
  status: now,
  statusSeq,
  ...more,
})

const ROWS: readonly Row[] = [
  {
    topic: 'empathy.status_updated',
    when: 'T3',
    to: A,
    before: put('ANALYZING'),
    act: (world) => world.analysis(A, GAPS),
    body: status('AWAITING_SHARING', 3),
  },
  {
    topic: 'empathy.status_updated',
    when: 'T10',
    to: A,
    before: put('REVEALED'),
    act: (world) => world.ok(B, 'validate', { validated: true }),
    body: status('VALIDATED', 5, { triggeredBy: B }),
  },
  {
    topic: 'empathy.status_updated',
    when: 'T11',
    to: A,
    before: put('REVEALED'),
    act: (world) => world.ok(B, 'validate', { validated: false, feedback: 'no' }),
    body: status('REFINING', 5, { triggeredBy: B, feedback: 'no' }),
  },
  {
    topic: 'empathy.status_updated',
    when: 'X2',
    to: A,
    before: () => new World().sentBack(),
    act: (world) => world.ok(A, 'skipRefinement', { willingToAccept: true }),
    body: status('VALIDATED', 6, { triggeredBy: A }),
  },
  {
    topic: 'empathy.status_updated',
    when: 'markSeen',
    to: A,
    before: put('REVEALED'),
    act: (world) => world.ok(B, 'markSeen'),
    body: status('REVEALED', 4, { triggeredBy: B }),
  },
  {
    topic: 'empathy.partner_considering_share',
    when: 'T3',
    to: A,
    before: put('ANALYZING'),
    act: (world) => world.analysis(A, GAPS),
    body: {},
  },
  {
    topic: 'empathy.share_suggestion',
    when: 'T3',
    to: B,
    before: put('ANALYZING'),
    act: (world) => world.analysis(A, GAPS),
    body: { offerId: 'off-1', contentVersion: 1 },
  },
  {
    topic: 'empathy.share_suggestion',
    when: 'another wording',
    to: B,
    before: () => {
      const world = new World().put('AWAITING_SHARING')
      world.ok(B, 'refineOffer', { offerId: 'off-1', instruction: 'shorter' })
      return world
    },
    act: (world) => world.of(ANALYST).complete(world.task('share.refine'), { content: 'I was ill.' }),
    body: { offerId: 'off-1', contentVersion: 2 },
  },
  {
    topic: 'empathy.refining',
    when: 'T5',
    to: A,
    before: put('AWAITING_SHARING'),
    act: (world) => world.respond('accept'),
    body: { offerId: 'off-1', messageSeq: 3, triggeredBy: B },
  },
  {
    topic: 'empathy.revealed',
    when: 'T9, to the subject',
    to: B,
    before: () => {
      const world = new World().put('READY')
      world.consent(B)
      return world
    },
    act: (world) => world.analysis(B),
    body: { role: 'subject', needsValidation: true },
  },
  {
    topic: 'empathy.revealed',
    when: 'T9, to the guesser',
    to: A,
    before: () => {
      const world = new World().put('READY')
      world.consent(B)
      return world
    },
    act: (world) => world.analysis(B),
    body: { role: 'guesser' },
  },
  {
    topic: 'empathy.validation_reminder',
    when: '72 h after T9',
    to: B,
    before: put('REVEALED'),
    act: (world) => world.harness.advance(72 * HOUR),
    body: {},
  },
  {
    topic: 'partner.stage_completed',
    when: 'T10',
    to: A,
    before: put('REVEALED'),
    act: (world) => world.ok(B, 'validate', { validated: true }),
    body: { stage: 2, validated: true },
  },
  {
    topic: 'partner.empathy_shared',
    when: 'T1',
    to: B,
    before: () => new World().draft(A),
    act: (world) => world.ok(A, 'consent', { draftVersion: 1 }),
    body: {},
  },
]

describe('domain.md §4.8 what is told, to whom, and with what status would answer', () => {
  test.each(ROWS)('$topic at $when', ({ topic, to, before, act, body }) => {
    const world = before()
    for (const user of [A, B]) world.told(user)
    act(world)
    const told: { readonly [user: string]: readonly Told[] } = { [A]: world.told(A), [B]: world.told(B) }
    const bodies = (user: string) =>
      (told[user] ?? []).filter(([name, { role }]) => name === topic && (role ?? null) === (body['role'] ?? null))
    const shown = topic.startsWith('empathy.') ? { exchange: world.answer(to, 'status') } : {}
    expect(bodies(to).map(([, given]) => given)).toEqual([{ sid: 'ses-1', ...body, ...shown }])
    // Both are guesser and subject of what was revealed; of everything else nobody else hears.
    if (!['empathy.revealed', 'empathy.validation_reminder'].includes(topic))
      expect(bodies(to === A ? B : A)).toEqual([])
  })

  test('an entry of several steps tells where they led, and only that', () => {
    const world = new World().put('READY')
    world.consent(B)
    world.told(A)
    world.analysis(B)
    for (const [, { exchange }] of world.told(A)) expect(exchange).toEqual(world.answer(A, 'status'))
  })

  test.each(['decline', 'expiry'])('a %s tells the guesser nothing until the reveal, nor looks otherwise', (how) => {
    const world = new World().put('AWAITING_SHARING')
    world.told(A)
    if (how === 'decline') world.respond('decline')
    else world.harness.advance('7d')
    expect(world.told(A)).toEqual([])
    const late = new World().put('READY')
    const own = (of: World) => (of.answer(A, 'status')['own'] as Answer)['status']
    expect(own(world)).toBe(own(late))
  })
})

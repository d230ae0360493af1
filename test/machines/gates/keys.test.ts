import { describe, expect, test } from 'vitest'
import { A, B, SID, World } from './world.ts'

/** domain.md §2.2: key, how A's value is turned, and whether A alone turns the own part. */
const KEYS: readonly {
  readonly stage: number
  readonly key: string
  /** What of the stage is done before, and what turns the key. */
  readonly before?: (world: World) => void
  readonly turn: (world: World) => void
}[] = [
  { stage: 0, key: 'compactSigned', turn: (world) => world.ok(A, 'signCompact', { agreed: true }) },
  {
    stage: 0,
    key: 'partnerCompactSigned',
    // Of the partner's signature one learns by signing.
    before: (world) => world.ok(A, 'signCompact', { agreed: true }),
    turn: (world) => world.ok(B, 'signCompact', { agreed: true }),
  },
  { stage: 1, key: 'feelHeardConfirmed', turn: (world) => world.ok(A, 'confirmFeelHeard', { confirmed: true }) },
  {
    stage: 2,
    key: 'empathyDraftReady',
    before: (world) => world.ok(A, 'saveEmpathyDraft', { content: 'a first try' }),
    turn: (world) => world.ok(A, 'saveEmpathyDraft', { content: 'a second try', readyToShare: true }),
  },
  { stage: 2, key: 'empathyConsented', turn: (world) => world.attempt(A, 'HELD') },
  { stage: 2, key: 'partnerConsented', turn: (world) => world.attempt(B, 'HELD') },
  {
    stage: 2,
    key: 'partnerValidated',
    before: (world) => world.attempt(A, 'REVEALED'),
    turn: (world) => world.attempt(A, 'VALIDATED'),
  },
  { stage: 3, key: 'needsConfirmed', turn: (world) => world.need(A) },
  { stage: 3, key: 'partnerNeedsConfirmed', turn: (world) => world.need(B) },
  {
    stage: 3,
    key: 'commonGroundConfirmed',
    before: (world) => {
      const [needA = '', needB = ''] = [A, B].map((user) => world.share(user, world.need(user)))
      world.ok(A, 'proposeCommonGround', { need: 'rest', category: 'SAFETY', description: 'rest', needA, needB })
    },
    turn: (world) => world.ok(B, 'confirmCommonGround', { confirmations: [{ cgId: 'cg-1', confirmed: true }] }),
  },
  {
    stage: 4,
    key: 'strategiesSubmitted',
    before: (world) => {
      world.strategy(A)
      world.ok(A, 'markStrategiesReady')
    },
    turn: (world) => world.ok(B, 'markStrategiesReady', { declareNone: true }),
  },
  {
    stage: 4,
    key: 'rankingsSubmitted',
    before: (world) => {
      world.strategy(A)
      world.ok(A, 'markStrategiesReady')
      world.ok(B, 'markStrategiesReady', { declareNone: true })
      world.ok(A, 'submitRanking', { rankedIds: ['str-1'] })
    },
    turn: (world) => world.ok(B, 'submitRanking', { rankedIds: ['str-1'] }),
  },
  {
    stage: 4,
    key: 'overlapIdentified',
    before: (world) => {
      for (const user of [A, B]) world.strategy(user)
      for (const user of [A, B]) world.ok(user, 'markStrategiesReady')
      world.ok(A, 'submitRanking', { rankedIds: ['str-1'] })
    },
    turn: (world) => world.ok(B, 'submitRanking', { rankedIds: ['str-2'] }),
  },
  { stage: 4, key: 'agreementCreated', before: (world) => world.rank(), turn: (world) => world.agreement(B) },
]

/** domain.md §2.2: the keys of each stage, in the order of the table. */
const NAMES = [
  ['compactSigned', 'partnerCompactSigned'],
  ['feelHeardConfirmed'],
  ['empathyDraftReady', 'empathyConsented', 'partnerConsented', 'partnerValidated'],
  ['needsConfirmed', 'partnerNeedsConfirmed', 'commonGroundConfirmed'],
  ['strategiesSubmitted', 'rankingsSubmitted', 'overlapIdentified', 'agreementCreated'],
]

/** Own parts: what makes A's row wait for nothing but the partner (domain.md §2.1). */
const OWN_PARTS: readonly { readonly stage: number; readonly steps: readonly ((world: World) => void)[] }[] = [
  { stage: 0, steps: [(world) => world.ok(A, 'signCompact', { agreed: true })] },
  { stage: 1, steps: [(world) => world.ok(A, 'confirmFeelHeard', { confirmed: true })] },
  {
    stage: 2,
    steps: [
      (world) => world.ok(A, 'saveEmpathyDraft', { content: 'x', readyToShare: true }),
      (world) => world.attempt(A, 'HELD'),
    ],
  },
  {
    stage: 3,
    steps: [
      (world) => world.share(A, world.need(A)),
      (world) => {
        const { consentIds } = { consentIds: [world.share(B, world.need(B))] }
        const item = { need: 'r', category: 'SAFETY', description: 'r', needA: 'con-1', needB: String(consentIds[0]) }
        world.ok(A, 'proposeCommonGround', item)
      },
    ],
  },
  {
    stage: 4,
    steps: [
      (world) => world.strategy(A),
      (world) => world.ok(A, 'markStrategiesReady'),
      (world) => world.ok(B, 'markStrategiesReady', { declareNone: true }),
      (world) => world.ok(A, 'submitRanking', { rankedIds: ['str-1'] }),
      (world) => world.ok(B, 'submitRanking', { rankedIds: ['str-1'] }),
      (world) => world.agreement(A),
    ],
  },
]

const gatesOf = (world: World, user: string, stage: number) => world.answer(user, 'gates', { stage })

describe('domain.md §2.2 gate keys', () => {
  test.each(NAMES.map((names, stage) => ({ stage, names })))('stage $stage has exactly $names', ({ stage, names }) => {
    const world = new World().both(stage)
    expect(Object.keys(gatesOf(world, A, stage))).toEqual(names)
    const { own } = world.answer(A, 'progress') as { own: { gatesSatisfied: object } }
    expect(Object.keys(own.gatesSatisfied)).toEqual(names)
  })

  test.each(KEYS)('stage $stage $key is false before its fact and true after it', ({ stage, key, before, turn }) => {
    const world = new World().both(stage)
    before?.(world)
    expect(gatesOf(world, A, stage)[key]).toBe(false)
    turn(world)
    expect(gatesOf(world, A, stage)[key]).toBe(true)
  })

  test('every key of the table is turned by a test', () => {
    expect(KEYS.map(({ key }) => key)).toEqual(NAMES.flat())
  })

  test.each(OWN_PARTS)(
    'stage $stage: the row is GATE_PENDING when all own parts are true, and not before',
    ({ stage, steps }) => {
      const world = new World().both(stage)
      const status = (): unknown => (world.answer(A, 'progress') as { own: { status: string } }).own.status
      for (const step of steps) {
        expect(status()).toBe('IN_PROGRESS')
        step(world)
      }
      expect(status()).toBe('GATE_PENDING')
    },
  )

  test('needsConfirmed is false again while a need is undecided', () => {
    const world = new World().both(3)
    world.need(A)
    world.ok(A, 'addNeed', { need: 'air', category: 'AUTONOMY', description: 'air' })
    expect(gatesOf(world, A, 3)['needsConfirmed']).toBe(false)
  })

  test('needsConfirmed is false when all needs are rejected', () => {
    const world = new World().both(3)
    const { needId } = world.ok(A, 'addNeed', { need: 'air', category: 'AUTONOMY', description: 'air' })
    world.ok(A, 'confirmNeeds', { confirmations: [{ needId: String(needId), confirmed: false }] })
    expect(gatesOf(world, A, 3)['needsConfirmed']).toBe(false)
  })

  test('an agreement that was refused creates none', () => {
    const world = new World().both(4)
    world.rank()
    const agreementId = world.agreement()
    world.ok(B, 'confirmAgreement', { agreementId, confirmed: false })
    expect(gatesOf(world, A, 4)['agreementCreated']).toBe(false)
  })

  test('keys of a stage that was not entered are not told', () => {
    const world = new World().both(1)
    expect(world.ask(A, 'gates', { stage: 2 })).toEqual({
      code: 'WRONG_STAGE',
      value: { required: [2, 3, 4], actual: 1 },
    })
  })

  test('without the machine of the exchange nobody has an attempt', () => {
    const world = new World().both(2)
    expect(gatesOf(world, A, 2)).toEqual({
      empathyDraftReady: false,
      empathyConsented: false,
      partnerConsented: false,
      partnerValidated: false,
    })
  })

  test('the rows of a resolved dialogue are complete, those of an abandoned one stay as they were', () => {
    const world = new World().both(4)
    world.rank()
    const agreementId = world.agreement()
    world.ok(B, 'confirmAgreement', { agreementId, confirmed: true })
    world.ok(A, 'resolve', {}, 'session')
    expect(world.answer(B, 'progress')).toMatchObject({
      own: { stage: 4, status: 'COMPLETED' },
      partner: { stage: 4, status: 'COMPLETED' },
    })
    const left = new World().both(1)
    left.ok(A, 'withdraw', {}, 'session')
    expect(left.answer(B, 'progress')).toMatchObject({ own: { stage: 1, status: 'IN_PROGRESS' } })
    expect(left.harness.table('gates', 'stages').map(([key]) => key)).toEqual([
      [SID, A, 0],
      [SID, A, 1],
      [SID, B, 0],
      [SID, B, 1],
    ])
  })

  test('partner.online is true while a client of the partner is there', () => {
    const world = new World().both(0)
    const online = (): unknown => (world.answer(A, 'progress') as { partner: { online: boolean } }).partner.online
    const second = world.open(B)
    expect(online()).toBe(true)
    world.of(B).close()
    expect(online()).toBe(true)
    second.expire()
    expect(online()).toBe(false)
  })
})

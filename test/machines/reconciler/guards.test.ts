import { describe, expect, test } from 'vitest'
import { A, B, C, World, type Answer } from './world.ts'

/** One fault, and what is told of it. */
interface Fault {
  readonly code: string
  readonly world: () => World
  readonly input?: Answer
  readonly by?: string
}

const paused = (world: World): World => {
  world.ok(A, 'pause', {}, 'session')
  return world
}
const hidden = (world: World): World => {
  world.ok(A, 'revokeConsent', { consentId: 'con-1' }, 'gates')
  return world
}
const fresh = (): World => new World()
const put = (status: string) => (): World => new World().put(status)
const answer = { offerId: 'off-1', action: 'accept' }
const wish = { offerId: 'off-1', instruction: 'shorter' }

/** Who sends each command, with an input in which nothing is wrong by itself. */
const COMMANDS: { readonly [name: string]: readonly [by: string, input: Answer] } = {
  consent: [A, { draftVersion: 1 }],
  viewOffer: [B, {}],
  refineOffer: [B, wish],
  respondOffer: [B, answer],
  resubmit: [A, { content: 'other words' }],
  skipRefinement: [A, { willingToAccept: true }],
  validate: [B, { validated: true }],
  markSeen: [B, {}],
}

/** Both faults at once, of which the earlier one is told; then the later one alone. */
const ORDER: readonly (readonly [command: string, earlier: Fault, later: Fault])[] = [
  [
    'consent',
    { code: 'WRONG_STAGE', world: fresh, input: { draftVersion: 9 } },
    { code: 'NOT_FOUND', world: () => new World().feelHeard(A), input: { draftVersion: 9 } },
  ],
  [
    'consent',
    { code: 'NOT_FOUND', world: () => new World().feelHeard(A), input: { draftVersion: 9 } },
    { code: 'STALE_STATE', world: () => new World().draft(A, 'a guess', false), input: { draftVersion: 9 } },
  ],
  [
    'consent',
    { code: 'STALE_STATE', world: () => new World().draft(A, 'a guess', false), input: { draftVersion: 9 } },
    { code: 'DRAFT_NOT_READY', world: () => new World().draft(A, 'a guess', false) },
  ],
  [
    'refineOffer',
    {
      code: 'NOT_FOUND',
      world: () => put('AWAITING_SHARING')().respond('decline'),
      input: { ...wish, offerId: 'off-9' },
    },
    { code: 'OFFER_NOT_PENDING', world: () => put('AWAITING_SHARING')().respond('decline') },
  ],
  [
    'respondOffer',
    {
      code: 'NOT_FOUND',
      world: () => put('AWAITING_SHARING')().respond('decline'),
      input: { ...answer, offerId: 'off-9', contentVersion: 9 },
    },
    { code: 'OFFER_NOT_PENDING', world: () => put('AWAITING_SHARING')().respond('decline') },
  ],
  [
    'respondOffer',
    {
      code: 'OFFER_NOT_PENDING',
      world: () => put('AWAITING_SHARING')().respond('decline'),
      input: { ...answer, contentVersion: 9 },
    },
    { code: 'STALE_STATE', world: put('AWAITING_SHARING'), input: { ...answer, contentVersion: 9 } },
  ],
  ['resubmit', { code: 'NOT_FOUND', world: fresh }, { code: 'INVALID_STATE_TRANSITION', world: put('READY') }],
  [
    'resubmit',
    { code: 'INVALID_STATE_TRANSITION', world: put('READY'), input: { content: ` HOW ${A}  sees it` } },
    { code: 'IDENTICAL_RESUBMISSION', world: put('REFINING'), input: { content: ` HOW ${A}  sees it` } },
  ],
  [
    'skipRefinement',
    { code: 'NOT_FOUND', world: fresh, input: { willingToAccept: false } },
    { code: 'INVALID_STATE_TRANSITION', world: put('READY'), input: { willingToAccept: false } },
  ],
  [
    'skipRefinement',
    { code: 'INVALID_STATE_TRANSITION', world: put('READY'), input: { willingToAccept: false } },
    { code: 'VALIDATION_ERROR', world: put('REFINING'), input: { willingToAccept: false } },
  ],
  [
    'validate',
    { code: 'WRONG_STAGE', world: fresh, input: { validated: false } },
    { code: 'NOT_FOUND', world: () => new World().feelHeard(B), input: { validated: false } },
  ],
  [
    'validate',
    { code: 'CONSENT_REQUIRED', world: () => hidden(new World().sentBack()), input: { validated: false } },
    { code: 'AWAITING_REVISION', world: () => new World().sentBack(), input: { validated: false } },
  ],
  [
    'validate',
    { code: 'CONSENT_REQUIRED', world: () => hidden(put('VALIDATED')()), input: { validated: false } },
    { code: 'INVALID_STATE_TRANSITION', world: put('VALIDATED'), input: { validated: false } },
  ],
  [
    'validate',
    { code: 'NOT_REVEALED', world: put('READY'), input: { validated: false } },
    { code: 'VALIDATION_ERROR', world: put('REVEALED'), input: { validated: false } },
  ],
  [
    'validate',
    { code: 'AWAITING_REVISION', world: () => new World().sentBack(), input: { validated: false } },
    { code: 'VALIDATION_ERROR', world: put('REVEALED'), input: { validated: false } },
  ],
  [
    'markSeen',
    { code: 'CONSENT_REQUIRED', world: () => hidden(put('REVEALED')()) },
    { code: 'NOT_REVEALED', world: put('READY') },
  ],
]

function codeOf(command: string, { world, input, by }: Fault): string {
  const [issuer, given] = COMMANDS[command] ?? [A, {}]
  return world().code(by ?? issuer, command, input ?? given)
}

describe('domain.md §4.4 of two faults the earlier one is told', () => {
  test.each(ORDER.map(([command, earlier, later]) => ({ command, earlier, later })))(
    '$command: $earlier.code before $later.code',
    ({ command, earlier, later }) => {
      expect(codeOf(command, earlier)).toBe(earlier.code)
      expect(codeOf(command, later)).toBe(later.code)
    },
  )

  test.each(Object.keys(COMMANDS))('%s: a stranger in a pause is NOT_FOUND, a member SESSION_NOT_ACTIVE', (command) => {
    const world = () => paused(fresh())
    expect(codeOf(command, { code: '', world, by: C })).toBe('NOT_FOUND')
    expect(codeOf(command, { code: '', world })).toBe('SESSION_NOT_ACTIVE')
    // Without the pause the first of its own guards is told.
    const own = command === 'consent' || command === 'validate' ? 'WRONG_STAGE' : 'NOT_FOUND'
    expect(codeOf(command, { code: '', world: fresh })).toBe(own)
  })

  test('refineOffer: CONFLICT while another wording is under way, and no longer', () => {
    const world = new World().put('AWAITING_SHARING')
    world.ok(B, 'refineOffer', wish)
    expect(world.send(B, 'refineOffer', wish)).toMatchObject({ code: 'CONFLICT', value: { reason: 'REFINE_OPEN' } })
    world.respond('accept')
    expect(world.code(B, 'refineOffer', wish)).toBe('OFFER_NOT_PENDING')
  })
})

describe('domain.md §4.4 what a command gives', () => {
  test.each<[command: string, world: () => World, by: string, input: Answer, gives: Answer]>([
    ['consent', () => new World().draft(A), A, { draftVersion: 1 }, { status: 'HELD', waitingForPartner: true }],
    [
      'consent',
      () => new World().feelHeard(B).draft(A),
      A,
      { draftVersion: 1 },
      { status: 'ANALYZING', waitingForPartner: false },
    ],
    [
      'viewOffer',
      put('AWAITING_SHARING'),
      B,
      {},
      { offerId: 'off-1', contentVersion: 1, reason: 'REASON', guesserName: 'a' },
    ],
    ['respondOffer', put('AWAITING_SHARING'), B, answer, { status: 'shared', sharedContent: 'SUGGESTION' }],
    [
      'respondOffer',
      put('AWAITING_SHARING'),
      B,
      { ...answer, action: 'decline' },
      { status: 'declined', sharedContent: null },
    ],
    ['resubmit', put('REFINING'), A, { content: 'other' }, { status: 'ANALYZING', revision: 1, resubmitsLeft: 2 }],
    ['skipRefinement', put('REFINING'), A, { willingToAccept: true }, { status: 'READY' }],
    [
      'skipRefinement',
      () => new World().sentBack(),
      A,
      { willingToAccept: false, reason: 'r' },
      { status: 'VALIDATED' },
    ],
    [
      'validate',
      put('REVEALED'),
      B,
      { validated: true },
      { validated: true, awaitingRevision: false, partnerValidated: false },
    ],
    ['validate', put('REVEALED'), B, { validated: false, feedback: 'f' }, { validated: false, awaitingRevision: true }],
    ['markSeen', put('REVEALED'), B, {}, { seen: true }],
  ])('%s (%#)', (command, world, by, input, gives) => {
    expect(world().ok(by, command, input)).toMatchObject(gives)
  })

  test('consent: what finalContent says is what is shared, not the draft', () => {
    const world = new World().draft(A)
    world.ok(A, 'consent', { draftVersion: 1, finalContent: 'at last' })
    expect(world.row('attempts')).toMatchObject({ content: 'at last' })
  })

  test('refineOffer: a worker is given the wording and the wish, and nothing of the guess', () => {
    const world = new World().put('AWAITING_SHARING')
    world.ok(B, 'refineOffer', wish)
    const { payload } = world.task('share.refine')
    expect(payload).toMatchObject({ offerId: 'off-1', content: 'SUGGESTION', instruction: 'shorter' })
    expect(JSON.stringify(payload)).not.toContain('sees it')
  })

  test('markSeen of what was shared is for the guesser, and once', () => {
    const world = new World().put('REFINING')
    expect(world.ok(A, 'markSeen')).toEqual({ seen: true })
    expect(world.row('directions')).toMatchObject({ shareHistory: [{ delivery: 'SEEN' }] })
    expect(world.ok(A, 'markSeen')).toEqual({ seen: true, duplicate: true })
    expect(world.code(B, 'markSeen')).toBe('NOT_REVEALED')
  })
})

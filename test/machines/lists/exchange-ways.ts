import type { Value } from '../../../src/codec/value/value.ts'
import type { CheckStep } from '../../../src/testing/index.ts'
import { A, type Answer, ANALYST, B, DAY, GAPS, MINUTE, other, result, SEED, SID } from '../reconciler/world.ts'
import { stepOf } from './machine-lists.ts'

/** Ways of two people through an exchange, which drawn commands seldom find by themselves. */

/** One step of a way, in the one dialogue. */
const act = (by: string, name: string, fields: Answer = {}, machine?: string): CheckStep =>
  stepOf(by, name, { sid: SID, ...fields }, machine)
const gate = (by: string, name: string, fields: Answer = {}): CheckStep => act(by, name, fields, 'gates')
const advance = (ms: number): CheckStep => ({ do: 'advance', ms })
const analysis = (found: Value): CheckStep => ({ do: 'complete', kind: 'reconciler.analyze', result: found })
const failed: CheckStep = { do: 'fail', kind: 'reconciler.analyze' }
const move = (user: string, fromStage: number): CheckStep =>
  gate(user, 'advanceStage', { fromStage, toStage: fromStage + 1 })

/** Both in the dialogue, at stage 1. */
export const TOGETHER: readonly CheckStep[] = [
  stepOf(A, 'create', { invitee: { kind: 'email', ref: 'b@x.io' }, tokenSeed: SEED, sendNow: true }, 'session'),
  stepOf(B, 'acceptInvitation', { invitationId: 'inv-1', token: `inv-1-${SEED}` }, 'session'),
  ...[A, B].map((user) => gate(user, 'signCompact', { agreed: true })),
  ...[A, B].map((user) => move(user, 0)),
]

const heard = (user: string): readonly CheckStep[] => [
  gate(user, 'confirmFeelHeard', { confirmed: true }),
  move(user, 1),
]
const draft = (user: string, readyToShare = true): CheckStep =>
  gate(user, 'saveEmpathyDraft', { content: `GUESS of ${user}`, readyToShare })
const share = (user: string): readonly CheckStep[] => [draft(user), act(user, 'consent', { draftVersion: 1 })]
const respond = (by: string, action: string, offerId = 'off-1', contentVersion = 1): CheckStep =>
  act(by, 'respondOffer', { offerId, action, contentVersion })
const feedback = (by: string): CheckStep => act(by, 'validate', { validated: false, feedback: 'not quite' })
const right = (by: string): CheckStep => act(by, 'validate', { validated: true })
const resubmit = (by: string, round: number): CheckStep => act(by, 'resubmit', { content: `words ${round} of ${by}` })
const revoke = (by: string, consent: number): CheckStep => gate(by, 'revokeConsent', { consentId: `con-${consent}` })

const refine = act(B, 'refineOffer', { offerId: 'off-1', instruction: 'shorter' })

const HEARD = [...TOGETHER, ...heard(A), ...heard(B)]
/** The subject is asked whether to share something. */
const OFFERED = [...HEARD, ...share(A), analysis(GAPS)]
const REFINING = [...OFFERED, respond(B, 'accept')]
/** Both guesses were found right, and are shown. */
const REVEALED = [...HEARD, ...share(A), analysis(result()), ...share(B), analysis(result())]

/** domain.md §4.10. */
export const CANONICAL: readonly CheckStep[] = [
  ...TOGETHER,
  ...heard(A),
  ...share(A),
  ...heard(B),
  analysis(GAPS),
  act(B, 'viewOffer'),
  refine,
  { do: 'complete', kind: 'share.refine', result: { content: 'SUGGESTION, shorter' } },
  respond(B, 'accept'),
  respond(B, 'accept', 'off-1', 2),
  act(A, 'markSeen'),
  act(A, 'resubmit', { content: ` guess OF ${A}` }),
  resubmit(A, 1),
  analysis(GAPS),
  ...share(B),
  analysis(result()),
  act(B, 'markSeen'),
  feedback(B),
  resubmit(A, 2),
  analysis(result()),
  right(B),
  right(A),
  ...[A, B].map((user) => move(user, 2)),
]

/** Nobody ever finds a guess right but those who are guessed about, and at last they do. */
const AGAINST_ALL: readonly CheckStep[] = [
  ...REFINING,
  resubmit(A, 1),
  analysis(GAPS),
  ...share(B),
  analysis(GAPS),
  respond(A, 'accept', 'off-2'),
  resubmit(B, 1),
  analysis(GAPS),
  ...[2, 3].flatMap((round) =>
    [A, B].flatMap((guesser) => [feedback(other(guesser)), resubmit(guesser, round), analysis(GAPS)]),
  ),
  ...[A, B].flatMap((guesser) => [feedback(other(guesser)), resubmit(guesser, 4)]),
  right(B),
  right(A),
]

export const WAYS: readonly (readonly CheckStep[])[] = [
  CANONICAL,
  CANONICAL,
  AGAINST_ALL,
  // Offers that are not taken.
  [...OFFERED, act(B, 'viewOffer'), respond(B, 'decline'), respond(B, 'decline'), respond(B, 'accept')],
  [...OFFERED, act(B, 'viewOffer'), advance(7 * DAY), ...share(B), analysis(GAPS), respond(A, 'decline', 'off-2')],
  [...OFFERED, act(A, 'pause', {}, 'session'), advance(3 * DAY), act(A, 'resume', {}, 'session'), advance(7 * DAY)],
  // Workers who fail, are silent, or are not there at all.
  [...HEARD, ...share(A), failed, advance(5_000), failed, advance(15_000), failed, ...share(B), advance(15 * MINUTE)],
  [...HEARD, ...share(A), ...share(B), advance(15 * MINUTE), advance(72 * 60 * MINUTE)],
  [...OFFERED, refine, refine, advance(10 * MINUTE)],
  // Guessers who go on with what they wrote.
  [...REFINING, act(A, 'skipRefinement', { willingToAccept: true }), ...share(B), analysis(result())],
  [...REVEALED, feedback(B), act(A, 'skipRefinement', { willingToAccept: false })],
  [...REVEALED, feedback(B), right(B), act(A, 'skipRefinement', { willingToAccept: false, reason: 'no' })],
  [...REVEALED, feedback(B), act(A, 'skipRefinement', { willingToAccept: true }), right(B)],
  // Consents that are taken back: of all that was not shown, of what was shown, and given again.
  [...TOGETHER, ...heard(A), ...share(A), revoke(A, 1), act(A, 'consent', { draftVersion: 1 })],
  [...HEARD, ...share(A), revoke(A, 1), act(A, 'consent', { draftVersion: 1 }), analysis(GAPS), revoke(A, 2)],
  [...REFINING, revoke(A, 1), act(A, 'consent', { draftVersion: 1 }), analysis(GAPS), revoke(A, 2)],
  [...REVEALED, revoke(A, 1), right(B), act(A, 'consent', { draftVersion: 1 }), right(B)],
  // What is refused.
  [
    ...TOGETHER,
    act(A, 'consent', { draftVersion: 1 }),
    ...heard(A),
    draft(A, false),
    act(A, 'consent', { draftVersion: 1 }),
  ],
  [...OFFERED, right(B), act(B, 'markSeen'), act(A, 'withdraw', {}, 'session'), right(B)],
]

const draw = (...inputs: readonly Answer[]): readonly Value[] => inputs.map((fields) => ({ sid: SID, ...fields }))
const offers = ['off-1', 'off-1', 'off-2']
const found = [GAPS, GAPS, result(), result({ action: 'OFFER_OPTIONAL', focus: ' ' })]
/** Seldom: what is closed or paused is not talked about any more. */
const seldom = (fields: Answer = {}): readonly Value[] => [
  { sid: SID, ...fields },
  ...Array.from({ length: 15 }, () => ({ sid: 'ses-9', ...fields })),
]

/** Inputs that mean something to the one dialogue. */
export const EXCHANGE_INPUTS: { readonly [name: string]: readonly Value[] } = {
  consent: draw({ draftVersion: 1 }, { draftVersion: 1 }, { draftVersion: 2 }, { draftVersion: 1, finalContent: 'f' }),
  viewOffer: draw({}),
  refineOffer: draw(...offers.map((offerId) => ({ offerId, instruction: 'shorter' }))),
  respondOffer: ['accept', 'accept', 'decline'].flatMap((action) =>
    draw(...offers.flatMap((offerId) => [1, 2].map((contentVersion) => ({ offerId, action, contentVersion })))),
  ),
  resubmit: draw({ content: 'words 1' }, { content: 'WORDS  1' }, { content: 'words 2' }, { content: 'words 3' }),
  skipRefinement: draw({ willingToAccept: true }, { willingToAccept: false }, { willingToAccept: false, reason: 'r' }),
  validate: draw({ validated: true }, { validated: false }, ...['f', 'g'].map((text) => said(text))),
  markSeen: draw({}),
  status: draw({}),
  audit: draw({}, { afterSeq: 2, limit: 3 }),
  'reconciler.analyze': found,
  'share.refine': [{ content: 'SUGGESTION, other' }],
  'session.pause': seldom(),
  'session.resume': draw({}),
  'session.postMessage': draw({ text: 'hm' }),
  'session.withdraw': seldom(),
  'session.resolve': seldom(),
  'gates.signCompact': draw({ agreed: true }),
  'gates.confirmFeelHeard': draw({ confirmed: true }),
  'gates.advanceStage': [0, 1, 1, 2].map((fromStage) => ({ sid: SID, fromStage, toStage: fromStage + 1 })),
  'gates.saveEmpathyDraft': draw({ content: 'GUESS of somebody', readyToShare: true }),
  'gates.revokeConsent': [1, 2, 3, 4].map((consent) => ({ sid: SID, consentId: `con-${consent}` })),
}

function said(text: string): Answer {
  return { validated: false, feedback: text }
}

/** Who takes part: two people, a third one, and workers. */
export const EXCHANGE_PRINCIPALS: { readonly [principal: string]: readonly string[] } = {
  [A]: [],
  [B]: [],
  'user:c': [],
  [ANALYST]: ['analysis', 'facilitator'],
}

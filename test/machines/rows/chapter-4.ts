import { cells, type Chapter, rows } from './named-rows.ts'

const STATUSES = ['HELD', 'ANALYZING', 'AWAITING_SHARING', 'REFINING', 'NEEDS_WORK', 'READY', 'REVEALED', 'VALIDATED']
const SESSIONS = ['ACTIVE', 'PAUSED', 'RESOLVED', 'ABANDONED']

/** Every table of chapter 4 of the design, row by row, and the rows of 2.7 that are about the exchange. */
export const CHAPTER_4: Chapter = {
  folders: ['machines/reconciler/'],
  tables: {
    '4.1 invariants': [1, 2, 3, 4, 5, 6, 7].map((number) => `R-I${number}`),
    '4.2 the founding program’s table': cells(
      STATUSES.map((status) => `as required: ${status}`),
      ' with ',
      rows(`
        START_ANALYSIS
        GAPS_DETECTED
        NO_SIGNIFICANT_GAPS
        MARK_READY
        CONTEXT_SHARED
        DECLINE_SHARING
        RESUBMIT_WITH_GAPS
        MUTUAL_REVEAL
        VALIDATE
        VALIDATION_FEEDBACK_SENT`),
    ),
    '4.2 our events': cells(
      STATUSES.map((status) => `of ours: ${status}`),
      ' with ',
      ['RESUBMIT', 'OFFER_EXPIRED', 'SKIP_PRE', 'SKIP_POST'],
    ),
    '4.2 invalid transitions': rows(`
      the invalid transition HELD → REFINING
      the invalid transition ANALYZING → VALIDATED
      the invalid transition AWAITING_SHARING → VALIDATED
      the invalid transition REFINING → REVEALED
      the invalid transition VALIDATED → REFINING`),
    '4.2 steps': rows(`
      T1 ∅ → HELD by consent
      T2 HELD → ANALYZING when the subject feels heard
      T2 inside consent
      T3 ANALYZING → AWAITING_SHARING
      T4 ANALYZING → READY by a result without a gap
      T4 ANALYZING → READY by a result of an optional offer about nothing
      T4 ANALYZING → READY when it was offered before
      T4 ANALYZING → READY when the analysis failed for good
      T5 AWAITING_SHARING → REFINING
      T6 AWAITING_SHARING → READY
      T7 AWAITING_SHARING → READY
      T8 REFINING → ANALYZING
      T9 READY → REVEALED
      T10 REVEALED → VALIDATED
      T11 REVEALED → REFINING
      X1 REFINING → READY
      X2 REFINING → VALIDATED
      X3 takes task, offer and wording with it
      X3 of what was shown hides it
      one entry of several steps`),
    '4.3 status × command': cells(
      ['∅', ...STATUSES, 'REFINING, shown'],
      ' × ',
      rows(`
        consent
        feelHeard
        analysis
        viewOffer
        accept
        decline
        resubmit
        skip
        right
        feedback
        revoke`),
    ),
    '4.4 guards in their order': [
      ...cells(
        rows(`
          consent
          viewOffer
          refineOffer
          respondOffer
          resubmit
          skipRefinement
          validate
          markSeen`),
        ': ',
        ['a stranger in a pause is NOT_FOUND, a member SESSION_NOT_ACTIVE'],
      ),
      ...rows(`
        consent: WRONG_STAGE before NOT_FOUND
        consent: NOT_FOUND before STALE_STATE
        consent: STALE_STATE before DRAFT_NOT_READY
        refineOffer: NOT_FOUND before OFFER_NOT_PENDING
        refineOffer: CONFLICT
        respondOffer: NOT_FOUND before OFFER_NOT_PENDING
        respondOffer: OFFER_NOT_PENDING before STALE_STATE
        resubmit: NOT_FOUND before INVALID_STATE_TRANSITION
        resubmit: INVALID_STATE_TRANSITION before IDENTICAL_RESUBMISSION
        skipRefinement: NOT_FOUND before INVALID_STATE_TRANSITION
        skipRefinement: INVALID_STATE_TRANSITION before VALIDATION_ERROR
        validate: WRONG_STAGE before NOT_FOUND
        validate: CONSENT_REQUIRED before AWAITING_REVISION
        validate: CONSENT_REQUIRED before INVALID_STATE_TRANSITION
        validate: NOT_REVEALED before VALIDATION_ERROR
        validate: AWAITING_REVISION before VALIDATION_ERROR
        markSeen: CONSENT_REQUIRED before NOT_REVEALED`),
    ],
    '4.5 the reveal check': rows(`
      READY beside READY, first reveal false
      READY beside AWAITING_SHARING, first reveal false
      READY beside VALIDATED, first reveal true
      READY beside REVEALED, first reveal true
      REFINING beside READY, first reveal true
      with our rule 1593 states are reachable
      with the rule that waits for the other one there are 64`),
    '4.6 no loops': ['three resubmissions are analysed, the fourth is not'],
    '4.7 the seven audit issues': rows(`
      infinite share loop
      result not visible after its creation
      messages ordered by time
      HELD never looked at again
      history lost by deletion
      guidance unused
      NEEDS_WORK deprecated`),
    '4.8 server requests': rows(`
      empathy.status_updated at T3
      empathy.status_updated at T10
      empathy.status_updated at T11
      empathy.status_updated at X2
      empathy.status_updated at markSeen
      empathy.partner_considering_share at T3
      empathy.share_suggestion at T3
      empathy.share_suggestion at another wording
      empathy.refining at T5
      empathy.revealed at T9, to the subject
      empathy.revealed at T9, to the guesser
      empathy.validation_reminder at 72 h after T9
      partner.stage_completed at T10
      partner.empathy_shared at T1`),
    '4.9 timers': rows(`
      an offer that nobody answers runs out after seven days
      a pause stops the offer
      an offer that came up in a pause counts from its end
      the subject is reminded 72 h after the reveal, once
      with a worker that never answers ANALYZING ends within 200 s
      with no worker at all it ends at the queue’s deadline
      a wording that no worker brings`),
    '4.10 canonical flow': rows(`
      1 a consents
      2 b feels heard
      3 a worker finds gaps
      4 b looks at the offer
      5 b has it worded anew
      6 b accepts the first wording
      7 a resubmits the same
      8 gaps again
      9 b→a meanwhile
      10 b sends it back
      11 both validate`),
    '4.11 abuse cases': rows(`
      R1 consent before the draft is ready
      R2 the guesser answers the offer
      R3 validate before the reveal
      R4 validate one’s own attempt
      R5 resubmit in HELD
      R5 resubmit in READY
      R5 resubmit in VALIDATED
      R6 accept after decline
      R7 a worker completes the same task twice
      R8 a user sends task.complete
      R9 validate false without feedback
      R10 validate false after VALIDATED
      R11 reading the partner’s attempt in READY
      R12 a result with`),
    '4.12 properties': Array.from({ length: 11 }, (_, at) => `PR${at + 1}`),
    '2.7 rows 10 to 16': cells(
      [
        ...['no attempt', 'withdrawn'].map((scene) => `consent none, ${scene}`),
        ...rows(`
          HELD
          ANALYZING
          offered
          REFINING
          READY
          REVEALED
          sent back
          VALIDATED`).map((scene) => `consent granted, ${scene}`),
        'consent revoked, hidden',
      ],
      ', in a session that is ',
      SESSIONS,
    ),
  },
}

import { cells, type Chapter, rows } from './named-rows.ts'

/** Every table of chapter 2 of the design, row by row. */
export const CHAPTER_2: Chapter = {
  folders: ['machines/gates/', 'machines/session/'],
  tables: {
    '2.2 gate keys': rows(`
      stage 0 compactSigned
      stage 0 partnerCompactSigned
      stage 1 feelHeardConfirmed
      stage 2 empathyDraftReady
      stage 2 empathyConsented
      stage 2 partnerConsented
      stage 2 partnerValidated
      stage 3 needsConfirmed
      stage 3 partnerNeedsConfirmed
      stage 3 commonGroundConfirmed
      stage 4 strategiesSubmitted
      stage 4 rankingsSubmitted
      stage 4 overlapIdentified
      stage 4 agreementCreated`),
    '2.3 commands': rows(`
      at stage 0 every command of another stage is WRONG_STAGE
      at stage 1 every command of another stage is WRONG_STAGE
      at stage 2 every command of another stage is WRONG_STAGE
      at stage 3 every command of another stage is WRONG_STAGE
      at stage 4 every command of another stage is WRONG_STAGE
      confirmFeelHeard: false says nothing
      recordEvent, recordBoundary: own
      saveEmpathyDraft: versions count up
      addNeed: at most twenty
      confirmNeeds: every undecided need is covered
      shareNeeds: confirmed own ones
      requestCommonGround: both have shared
      proposeCommonGround: one active shared need of each
      confirmCommonGround: an unknown or hidden item is refused
      proposeStrategy: needs must be visible
      requestSuggestions: confirmed common ground
      markStrategiesReady: NO_STRATEGIES
      submitRanking: may be changed until both are in
      reopenStrategies: NEGOTIATING alone
      createAgreement: after the overlap
      confirmAgreement: the proposer CONFLICT
      decideConsent: the owner alone, once
      revokeConsent: the owner, granted and once`),
    '2.3 results of tasks': rows(`
      needs.synthesize: gets own words alone
      common_ground.analyze: an item with an inactive source
      strategies.suggest: what comes after the pool is closed is dropped
      a result that arrives after the dialogue was closed is STALE_TASK`),
    '2.4 overlap': ['PG7 it is the same whoever is named first'],
    '2.5 order of checks of advanceStage': rows(`
      2 a step that is none comes before missing keys
      3 missing keys are named in the order of the table
      4 the partner’s keys of stage 3
      stage 0 is sequential
      stage 1 needs the own key alone`),
    '2.6 verdicts': rows(`
      PG2
      has 28 points, 140 cells, 40 allowed
      1 session_metadata / metadata
      2 relationship_metadata / metadata
      3 session_outcomes / structured
      4 user_event / structured / self
      5 user_event / structured / partner
      6 user_event / vector / self
      7 user_event / vector / partner
      8 user_event / metadata / self
      9 user_event / metadata / partner
      10 emotional_reading / structured / self
      11 emotional_reading / structured / partner
      12 emotional_reading / vector / self
      13 emotional_reading / vector / partner
      14 emotional_reading / metadata / self
      15 emotional_reading / metadata / partner
      16 need / structured / self
      17 need / structured / partner
      18 need / vector / self
      19 need / vector / partner
      20 need / metadata / self
      21 need / metadata / partner
      22 boundary / structured / self
      23 boundary / structured / partner
      24 consented_content / structured
      25 common_ground / structured
      26 agreement / structured
      27 micro_experiment / structured
      28 experiment_suggestion / vector`),
    '2.6 item filters': rows(`
      session_metadata: own dialogues
      relationship_metadata: since when
      session_outcomes: what was agreed in earlier dialogues
      need: at stage 3 of this dialogue
      consented_content: before consent none, after it the item, after revocation none
      common_ground: both sources active
      agreement: AGREED ones
      experiment_suggestion: the library`),
    '2.7 resources': rows(`
      has the 25 resources
      1 rowStatus
      2 gateDetails
      3 compactSignature
      4 chatMessages
      5 rawVessel
      6 emotionalReadings
      7 consentRecords
      8 consentedContent
      9 empathyDraft
      10 empathyAttempt
      11 empathyStatus
      12 shareOffer
      13 sharedContext
      14 reconcilerResult
      15 abstractGuidance
      16 validationOutcome
      17 identifiedNeeds
      18 sharedNeeds
      19 commonGround
      20 strategies
      21 strategyAuthor
      22 ranking
      23 overlap
      24 agreements
      25 closingWords`),
    '2.8 notifications': rows(`
      partner.signed_compact
      partner.stage_completed
      partner.advanced
      partner.needs_confirmed
      partner.needs_shared
      common_ground.ready
      strategies.updated
      strategies.ready
      partner.ranking_submitted
      strategies.overlap
      agreement.proposed
      agreement.confirmed
      consent.requested
      partner.consent_revoked`),
    '2.3 codes': cells(
      rows(`
        WRONG_STAGE
        DRAFT_LOCKED
        PHASE_CLOSED
        NO_STRATEGIES
        INVALID_STAGE_TRANSITION
        GATES_NOT_SATISFIED
        PARTNER_NOT_READY`),
      ' ',
      ['changes nothing, tells nobody, and says why'],
    ),
    '2.9 canonical flow': rows(`
      1 a signs
      2 a cannot go on alone
      3 b signs
      4 a feels heard
      5 a drafts
      6 b feels heard
      7 both are revealed
      8 both are validated
      9 needs are confirmed
      10 strategies are proposed
      11 one agreement`),
    '2.10 abuse cases': rows(`
      G1 advancing 0→2, 1→0, 4→5
      G2 advancing 1→2 without feeling heard
      G3 signing twice
      G4 retrieving user_event of the partner
      G5 consented_content with consentActive false
      G6 retrieving own user_event
      G7 the partner revokes a shared need
      G8 editing the draft after consenting
      G9 ranking before the phase
      G10 reading the partner’s ranking
      G11 any command in a pause but revokeConsent
      G12 a facilitator retrieves for somebody who is no member`),
    '2.11 properties': rows(`
      PG1
      PG3 other private words
      PG4 after a revocation
      PG5
      PG6
      PG7
      PG8
      PG9 swapping the authors
      PG10 two willing people`),
  },
}

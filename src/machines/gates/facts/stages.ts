import { transitions } from '../../../machine/graph/transitions.ts'

/** A person's stage in a dialogue. There is no stage of the dialogue itself. */
export type Stage = 0 | 1 | 2 | 3 | 4
/** Where both begin. */
export const FIRST_STAGE: Stage = 0
/** The stage that ends by resolving the dialogue. */
export const LAST_STAGE: Stage = 4
/** From the first to the last. */
export const STAGES: readonly Stage[] = [0, 1, 2, 3, 4]

/** The gate keys of each stage, in their order, by their required names (domain.md §2.2). */
export const GATE_KEYS = {
  0: ['compactSigned', 'partnerCompactSigned'],
  1: ['feelHeardConfirmed'],
  2: ['empathyDraftReady', 'empathyConsented', 'partnerConsented', 'partnerValidated'],
  3: ['needsConfirmed', 'partnerNeedsConfirmed', 'commonGroundConfirmed'],
  4: ['strategiesSubmitted', 'rankingsSubmitted', 'overlapIdentified', 'agreementCreated'],
} as const satisfies { readonly [stage in Stage]: readonly string[] }

/** A key of some stage. */
export type GateKey = (typeof GATE_KEYS)[Stage][number]

/** What of a key a person does alone; a key that is absent has no such part. */
export type OwnPart = Exclude<
  GateKey,
  'partnerCompactSigned' | 'partnerConsented' | 'partnerValidated' | 'partnerNeedsConfirmed' | 'overlapIdentified'
>

/** How one person goes, for the diagram; the checks are `advanceRefusal`, and `resolve` is the machine session's. */
export const STAGE_TRANSITIONS = transitions(
  {
    'stage-0': { advanceStage: 'stage-1' },
    'stage-1': { advanceStage: 'stage-2' },
    'stage-2': { advanceStage: 'stage-3' },
    'stage-3': { advanceStage: 'stage-4' },
    'stage-4': { resolve: 'COMPLETED' },
    COMPLETED: {},
  },
  { entity: 'stage' },
)

/** How the last stage goes for both, for the diagram. */
export const PHASE_TRANSITIONS = transitions(
  {
    COLLECTING: { markStrategiesReady: 'RANKING' },
    RANKING: { overlap: 'REVEALING', 'no-overlap': 'NEGOTIATING' },
    REVEALING: { confirmAgreement: 'AGREED' },
    NEGOTIATING: { reopenStrategies: 'COLLECTING', confirmAgreement: 'AGREED' },
    AGREED: {},
  },
  { entity: 'phase' },
)

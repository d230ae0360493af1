import { STAGES, type Stage } from '../facts/stages.ts'

/**
 * Retrieval contracts, layer 2 (domain.md §2.7): what a person may read, by the stage at which that person stands, as data.
 * Every query of this machine asks here before it shows anything of the partner's.
 */

/** The consent of the owner: none asked, undecided or denied; granted and active; revoked. */
export type ConsentState = 'none' | 'granted' | 'revoked'

/** What must be true beside the cell; all are facts that the viewer may know. */
export type ReadCondition = 'viewerSigned' | 'needOrBoundary' | 'revealed' | 'accepted' | 'bothRanked'

interface Resource {
  /** The owner's first stage at which there is such a thing; null where nobody may read it, not even the owner. */
  readonly ownFrom: Stage | null
  /** A cell for each of the viewer's stages; three letters, for the three states of the owner's consent. */
  readonly partner: readonly [string, string, string, string, string]
  /** Conditions per stage of the viewer; with none the cell stands as it is. */
  readonly when?: { readonly [stage in Stage]?: ReadCondition }
}

const NEVER = ['---', '---', '---', '---', '---'] as const
const ALWAYS = ['AAA', 'AAA', 'AAA', 'AAA', 'AAA'] as const

/** The 25 resources in their order. */
export const RESOURCES = {
  rowStatus: { ownFrom: 0, partner: ALWAYS },
  gateDetails: { ownFrom: 0, partner: NEVER },
  compactSignature: { ownFrom: 0, partner: ALWAYS, when: { 0: 'viewerSigned' } },
  chatMessages: { ownFrom: 0, partner: NEVER },
  rawVessel: { ownFrom: 0, partner: NEVER },
  emotionalReadings: { ownFrom: 0, partner: NEVER },
  consentRecords: { ownFrom: 0, partner: NEVER },
  consentedContent: {
    ownFrom: 0,
    partner: ['---', '---', '-A-', '-A-', '-A-'],
    when: { 3: 'needOrBoundary' },
  },
  empathyDraft: { ownFrom: 0, partner: NEVER },
  empathyAttempt: {
    ownFrom: 0,
    partner: ['---', '---', '-A-', '-A-', '-A-'],
    when: { 2: 'revealed', 3: 'revealed', 4: 'revealed' },
  },
  empathyStatus: { ownFrom: 0, partner: ['---', '---', 'AAA', 'AAA', 'AAA'] },
  shareOffer: { ownFrom: 0, partner: NEVER },
  sharedContext: {
    ownFrom: 0,
    partner: ['---', '---', '-A-', '-A-', '-A-'],
    when: { 2: 'accepted', 3: 'accepted', 4: 'accepted' },
  },
  reconcilerResult: { ownFrom: null, partner: NEVER },
  abstractGuidance: { ownFrom: 0, partner: NEVER },
  validationOutcome: { ownFrom: 0, partner: ['---', '---', 'AAA', 'AAA', 'AAA'] },
  identifiedNeeds: { ownFrom: 3, partner: NEVER },
  sharedNeeds: { ownFrom: 0, partner: ['---', '---', '---', '-A-', '-A-'] },
  commonGround: { ownFrom: 0, partner: ['---', '---', '---', '-A-', '-A-'] },
  strategies: { ownFrom: 0, partner: ['---', '---', '---', '---', 'AAA'] },
  strategyAuthor: { ownFrom: null, partner: NEVER },
  ranking: { ownFrom: 0, partner: ['---', '---', '---', '---', 'AAA'], when: { 4: 'bothRanked' } },
  overlap: { ownFrom: 0, partner: ['---', '---', '---', '---', 'AAA'], when: { 4: 'bothRanked' } },
  agreements: { ownFrom: 0, partner: ['---', '---', '---', '---', 'AAA'] },
  closingWords: { ownFrom: 0, partner: NEVER },
} as const satisfies { readonly [resource: string]: Resource }

/** One of the 25. */
export type ResourceName = keyof typeof RESOURCES

/** A look at something: whose it is, from where, and under which consent. */
export interface Look {
  readonly of: 'own' | 'partner'
  /** The viewer's own stage. */
  readonly stage: Stage
  /** Of the owner, for that very item. Default `none`. */
  readonly consent?: ConsentState
  /** Conditions that hold. Default none. */
  readonly holds?: readonly ReadCondition[]
}

/** Whether a resource may be read; what may not is answered as if it did not exist. */
export function readVerdict(resource: ResourceName, { of, stage, consent = 'none', holds = [] }: Look): boolean {
  const { ownFrom, partner, when = {} }: Resource = RESOURCES[resource]
  if (of === 'own') return ownFrom !== null && stage >= ownFrom
  const letter = partner[STAGES.indexOf(stage)]?.[CONSENT_LETTERS.indexOf(consent)]
  const condition = when[stage]
  return letter === 'A' && (condition === undefined || holds.includes(condition))
}

const CONSENT_LETTERS: readonly ConsentState[] = ['none', 'granted', 'revoked']

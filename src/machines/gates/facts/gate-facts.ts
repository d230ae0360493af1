import type { GatesView } from './gates-schema.ts'
import type { PersonRow } from './rows.ts'
import type { Stage } from './stages.ts'

/** What gate values are computed from: everything of one dialogue that bears on a key. */
export interface GateFacts {
  readonly people: readonly [PersonFacts, PersonFacts]
  /** Items of which both sources are still shared, with who confirmed them. */
  readonly commonGround: readonly { readonly confirmedBy: readonly string[] }[]
  readonly overlapFound: boolean
  readonly agreements: readonly AgreementFacts[]
}

/** An agreement, as far as gates go. */
export interface AgreementFacts {
  readonly id: string
  readonly status: 'PROPOSED' | 'AGREED' | 'ABANDONED'
  readonly agreedBy: readonly string[]
}

/** What bears on the keys of one person. */
export interface PersonFacts {
  readonly user: string
  /** Null before the first stage was entered. */
  readonly stage: Stage | null
  readonly completed: boolean
  readonly signed: boolean
  readonly feelHeard: boolean
  readonly draftReady: boolean
  /** Own empathy attempt that is shared; and whether the partner found it right, or the person accepted the difference. */
  readonly attemptShared: boolean
  readonly attemptValidated: boolean
  /** At least one need confirmed and none undecided. */
  readonly needsConfirmed: boolean
  readonly strategiesReady: boolean
  readonly ranked: boolean
  /** Something of the empathy exchange waits for this person. */
  readonly todo: boolean
}

/** Most needs, items or agreements of one dialogue that are looked at: above every bound on how many there may be. */
const ROWS_MAX = 200

/** Reads the facts of a dialogue. Of the empathy exchange there is nothing yet: nobody has shared an attempt. */
export function gateFactsOf(view: GatesView, sid: string, users: readonly [string, string]): GateFacts {
  const [one, other] = users
  const commonGround = view.commonGround.range({ prefix: [sid], limit: ROWS_MAX }).map(([, item]) => item)
  return {
    people: [personFacts(view, sid, one), personFacts(view, sid, other)],
    commonGround: commonGround.filter(({ sourceNeedA, sourceNeedB }) =>
      [sourceNeedA, sourceNeedB].every((consent) => isActive(view, sid, consent)),
    ),
    overlapFound: (view.dialogues.get(sid)?.overlap ?? null) !== null,
    agreements: view.agreements
      .range({ prefix: [sid], limit: ROWS_MAX })
      .map(([[, id], { status, agreedBy }]) => ({ id, status, agreedBy })),
  }
}

const NOTHING_DONE: PersonRow = { signedAt: null, feelHeardAt: null, draft: null, ready: null, ranking: null }

function personFacts(view: GatesView, sid: string, user: string): PersonFacts {
  const person = view.people.get([sid, user]) ?? NOTHING_DONE
  const needs = view.needs.range({ prefix: [sid, user], limit: ROWS_MAX }).map(([, need]) => need.decision)
  return {
    user,
    ...stageOf(view, sid, user),
    signed: person.signedAt !== null,
    feelHeard: person.feelHeardAt !== null,
    draftReady: person.draft?.ready ?? false,
    attemptShared: false,
    attemptValidated: false,
    needsConfirmed: needs.includes('CONFIRMED') && !needs.includes(null),
    strategiesReady: person.ready !== null,
    ranked: person.ranking !== null,
    todo: false,
  }
}

/** The highest stage that a person entered, and whether it is over. */
export function stageOf(
  view: GatesView,
  sid: string,
  user: string,
): { readonly stage: Stage | null; readonly completed: boolean } {
  const [row] = view.stages.range({ prefix: [sid, user], limit: 1, reverse: true })
  if (row === undefined) return { stage: null, completed: false }
  const [[, , stage], { completedAt }] = row
  // Only stages are ever written as the last part of the key.
  return { stage: stage as Stage, completed: completedAt !== null }
}

/** Granted and not revoked. */
function isActive(view: GatesView, sid: string, consentId: string): boolean {
  const consent = view.consents.get([sid, consentId])
  return consent !== undefined && consent.decision === 'GRANTED' && consent.revokedAt === null
}

import { awaitsVerdict, exchangeOf, type ExchangeView } from './exchange.ts'
import type { GatesView } from './gates-schema.ts'
import { AGREEMENT_ROWS_MAX, COMMON_GROUND_MAX, NEEDS_MAX } from './gates-bounds.ts'
import { idOf, numberIn } from './ids.ts'
import { NOTHING_DONE } from './rows.ts'
import { FIRST_STAGE, type Stage } from './stages.ts'

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

/** The tables that facts are read from. */
export interface FactTables {
  readonly gates: GatesView
  readonly exchange: ExchangeView
}

/** Reads the facts of a dialogue of two people. */
export function gateFactsOf(tables: FactTables, sid: string, users: readonly [string, string]): GateFacts {
  const { gates } = tables
  const [one, other] = users
  const agreements = gates.agreements.range({ prefix: [sid], limit: AGREEMENT_ROWS_MAX })
  return {
    people: [
      personFacts(tables, { sid, user: one, partner: other }),
      personFacts(tables, { sid, user: other, partner: one }),
    ],
    commonGround: visibleCommonGround(gates, sid).map(([, item]) => item),
    overlapFound: (gates.dialogues.get(sid)?.overlap ?? null) !== null,
    agreements: agreements.map(([[, number], { status, agreedBy }]) => ({ id: idOf('agr', number), status, agreedBy })),
  }
}

function personFacts(
  { gates, exchange }: FactTables,
  { sid, user, partner }: { readonly sid: string; readonly user: string; readonly partner: string },
): PersonFacts {
  const person = gates.people.get([sid, user]) ?? NOTHING_DONE
  const needs = gates.needs.range({ prefix: [sid, user], limit: NEEDS_MAX }).map(([, need]) => need.decision)
  const { shared, validated, refining } = exchangeOf(exchange, sid, user)
  return {
    user,
    ...stageOf(gates, sid, user),
    signed: person.signedAt !== null,
    feelHeard: person.feelHeardAt !== null,
    draftReady: person.draft?.ready ?? false,
    attemptShared: shared,
    attemptValidated: validated,
    needsConfirmed: needs.includes('CONFIRMED') && !needs.includes(null),
    strategiesReady: person.ready !== null,
    ranked: person.ranking !== null,
    todo: refining || awaitsVerdict(exchange, sid, partner),
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

/** The stage at which a person stands: in a dialogue that is older than this machine the first, where nothing was done yet. */
export const presentStage = (view: GatesView, sid: string, user: string): Stage =>
  stageOf(view, sid, user).stage ?? FIRST_STAGE

/** Items of common ground of which both sources are shared now: the others are as if they were not there. */
export function visibleCommonGround(view: GatesView, sid: string) {
  const items = view.commonGround.range({ prefix: [sid], limit: COMMON_GROUND_MAX })
  return items.filter(([, { sourceNeedA, sourceNeedB }]) =>
    [sourceNeedA, sourceNeedB].every((consent) => isActive(view, sid, consent)),
  )
}

/** Granted and not revoked. */
export const isActive = (view: GatesView, sid: string, consentId: string): boolean =>
  view.consents.get([sid, numberIn('con', consentId)])?.revokedAt === null

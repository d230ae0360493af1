import type { Entity } from '../facts/states.ts'

/** Codes that say why a pair is forbidden, better than INVALID_STATE_TRANSITION does. */
export type ForbiddenCode =
  | 'PAYMENT_REQUIRED'
  | 'FORMS_REQUIRED'
  | 'RETROACTIVE_PAYMENT'
  | 'RETROACTIVE_CHANGE'
  | 'UNPAID_ACCESS'
  | 'FORMS_INCOMPLETE'

/**
 * The table of domain.md §3.7. Every pair of payment and session is absent from the transition tables too: this table
 * comes first and only gives the better code. The rows of `video` speak of joining (`to` is `join`) in a session
 * state (`from`).
 */
const FORBIDDEN: { readonly [Name in Entity]: { readonly [pair: string]: ForbiddenCode } } = {
  session: {
    'requested→ready': 'PAYMENT_REQUIRED',
    'requested→in_progress': 'PAYMENT_REQUIRED',
    'approved→ready': 'PAYMENT_REQUIRED',
    'approved→in_progress': 'PAYMENT_REQUIRED',
    'payment_pending→ready': 'PAYMENT_REQUIRED',
    'paid→in_progress': 'FORMS_REQUIRED',
    'forms_required→in_progress': 'FORMS_REQUIRED',
    'completed→payment_pending': 'RETROACTIVE_PAYMENT',
    'completed→paid': 'RETROACTIVE_CHANGE',
  },
  payment: { 'confirmed→pending': 'RETROACTIVE_CHANGE' },
  video: {
    'payment_pending→join': 'UNPAID_ACCESS',
    'forms_required→join': 'FORMS_INCOMPLETE',
    'paid→join': 'FORMS_INCOMPLETE',
  },
}

/** The code of a forbidden pair, or null when the table does not name it (which does not make it allowed). */
export function forbiddenCode(entity: Entity, from: string, to: string): ForbiddenCode | null {
  return FORBIDDEN[entity]?.[`${from}→${to}`] ?? null
}

/** Every forbidden pair with its code, for documentation and tests. */
export function forbiddenPairs(): { entity: Entity; from: string; to: string; code: ForbiddenCode }[] {
  const pairs = []
  for (const entity of ['payment', 'session', 'video'] as const) {
    for (const [pair, code] of Object.entries(FORBIDDEN[entity])) {
      const [from = '', to = ''] = pair.split('→')
      pairs.push({ entity, from, to, code })
    }
  }
  return pairs
}

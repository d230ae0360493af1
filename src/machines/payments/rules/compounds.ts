import type { Entity, Triple, VideoState } from '../facts/states.ts'
import { entityTransition } from '../facts/states.ts'
import { crossSync } from './sync.ts'

/** One step of one machine. `from` is the state it was planned in. */
export interface Step {
  readonly entity: Entity
  readonly from: string
  readonly to: string
}

/** The compounds of domain.md §3.4: what one command does to the triple. K2L is K2 out of a failed payment. */
export type Compound =
  | 'approve'
  | 'initiate'
  | 'retry'
  | 'confirm'
  | 'confirmLate'
  | 'failPayment'
  | 'requireForms'
  | 'makeReady'
  | 'cancelUnpaid'
  | 'cancelPaid'
  | 'cancelRunning'
  | 'complete'
  | 'noShowTherapist'
  | 'noShowClient'
  | 'joinFirst'
  | 'joinSecond'
  | 'failVideo'
  | 'retryVideo'

/** One machine is to go to a state. */
export type Move = readonly [entity: Entity, to: string]

/** Payment first, then session, then video (domain.md §3.3 A4); in a join the session comes before the video. */
const MOVES: { readonly [Name in Compound]: (triple: Triple) => readonly Move[] } = {
  approve: () => [['session', 'approved']],
  initiate: () => [
    ['payment', 'initiated'],
    ['session', 'payment_pending'],
  ],
  retry: () => [['payment', 'initiated']],
  confirm: () => [
    ['payment', 'confirmed'],
    ['session', 'paid'],
  ],
  confirmLate: () => [
    ['payment', 'initiated'],
    ['payment', 'confirmed'],
    ['session', 'paid'],
  ],
  failPayment: () => [['payment', 'failed']],
  requireForms: () => [['session', 'forms_required']],
  makeReady: () => [['session', 'ready']],
  cancelUnpaid: () => [
    ['payment', 'cancelled'],
    ['session', 'cancelled'],
  ],
  cancelPaid: (triple) => [['payment', 'refunded'], ['session', 'cancelled'], ...videoEnd(triple.video)],
  cancelRunning: (triple) => [['payment', 'refunded'], ['session', 'cancelled'], ...videoEnd(triple.video)],
  complete: (triple) => [['session', 'completed'], ...videoEnd(triple.video)],
  noShowTherapist: (triple) => [['payment', 'refunded'], ['session', 'no_show_therapist'], ...videoEnd(triple.video)],
  noShowClient: (triple) => [['session', 'no_show_client'], ...videoEnd(triple.video)],
  joinFirst: () => [['video', 'waiting_for_participants']],
  joinSecond: (triple) =>
    triple.session === 'ready'
      ? [
          ['session', 'in_progress'],
          ['video', 'active'],
        ]
      : [['video', 'active']],
  failVideo: () => [['video', 'failed']],
  retryVideo: () => [['video', 'waiting_for_participants']],
}

/** A compound that cannot be taken from here: which step, or which matrix, refuses. Nothing was changed. */
export interface CompoundRefused {
  readonly error: string
  readonly entity?: Entity
  readonly from?: string
  readonly to?: string
  readonly allowed?: readonly string[]
}

/** The steps and where they end, or why there are none. */
export type CompoundPlan = { readonly steps: readonly Step[]; readonly triple: Triple } | CompoundRefused

/**
 * The steps of a compound from a triple, each checked against its own table, and the triple it ends in, checked
 * against both matrices (domain.md §3.3 A4). Steps of one plan belong into one audit group.
 */
export function planCompound(compound: Compound, triple: Triple): CompoundPlan {
  const { payment, session, video } = triple
  const known = PLANS.get(compound) ?? []
  for (const { from, plan } of known) {
    if (from.payment === payment && from.session === session && from.video === video) return plan
  }
  // The triple alone: what a caller hands over may be a whole booking, and a plan that is kept must hold nothing of it.
  const from = { payment, session, video }
  const plan = planMoves(MOVES[compound](from), from)
  PLANS.set(compound, [...known, { from, plan }])
  return plan
}

/**
 * Plans that were made already, by the triple they start from. PERF: a plan is a pure function of 18 compounds and at most
 * 330 triples, and commands need the same one or two of each all the time; finding one costs a tenth of making it.
 */
const PLANS = new Map<Compound, readonly { readonly from: Triple; readonly plan: CompoundPlan }[]>()

/** Plans any list of moves: each in its own table, and the matrices at the end. */
export function planMoves(moves: readonly Move[], triple: Triple): CompoundPlan {
  const steps: Step[] = []
  const states: Record<Entity, string> = { ...triple }
  for (const [entity, to] of moves) {
    const verdict = entityTransition(entity, states[entity], to)
    if ('error' in verdict) return verdict
    steps.push({ entity, from: states[entity], to })
    states[entity] = to
  }
  const verdict = crossSync(states.payment, states.session, states.video, 'amended')
  if ('error' in verdict) return { error: verdict.error }
  if (!verdict.valid) return { error: verdict.code ?? 'PAYMENT_SESSION_SYNC' }
  // Each state came out of its own table, so it is a state of that machine.
  return { steps, triple: states as unknown as Triple }
}

/** The way of a call to its end: `failed` has no edge there and goes through `waiting` (A4 and F10, domain.md §3.2, §3.3). */
function videoEnd(video: VideoState): readonly Move[] {
  if (video === 'not_started' || video === 'ended') return []
  if (video === 'failed')
    return [
      ['video', 'waiting_for_participants'],
      ['video', 'ended'],
    ]
  return [['video', 'ended']]
}

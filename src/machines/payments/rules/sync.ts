import type { PaymentState, SessionState, Triple, VideoState } from '../facts/states.ts'
import { PAYMENT_STATES, SESSION_STATES, VIDEO_STATES } from '../facts/states.ts'

/**
 * Which triples are legal. `literal`: the requirement's two matrices as they stand (domain.md §3.2), in which seven session
 * states have no video row and are skipped. `amended`: with A1–A3 of domain.md §3.3, which the machine enforces.
 */
export type SyncMode = 'literal' | 'amended'

/** What the matrices say of a triple. */
export interface SyncVerdict {
  readonly valid: boolean
  /** What the requirement wants done in this state: `ALERT_CLIENT_RETRY` beside a failed payment. */
  readonly requiredActions: readonly string[]
  readonly code?: 'PAYMENT_SESSION_SYNC' | 'SESSION_VIDEO_SYNC'
}

/** A call to the checker with something that is no state. */
export interface SyncRefused {
  readonly error: 'VALIDATION_ERROR'
  readonly valid: false
  readonly requiredActions: readonly string[]
}

const SESSIONS_OF_PAYMENT: { readonly [State in PaymentState]: readonly SessionState[] } = {
  pending: ['requested', 'approved'],
  initiated: ['payment_pending'],
  confirmed: ['paid', 'forms_required', 'ready', 'in_progress', 'completed'],
  failed: ['payment_pending', 'cancelled'],
  refunded: ['cancelled', 'no_show_therapist'],
  cancelled: ['cancelled'],
}

/** domain.md §3.3 A1: a client who stays away has paid and gets nothing back. */
const SESSIONS_OF_PAYMENT_AMENDED: typeof SESSIONS_OF_PAYMENT = {
  ...SESSIONS_OF_PAYMENT,
  confirmed: [...SESSIONS_OF_PAYMENT.confirmed, 'no_show_client'],
}

interface VideoRow {
  readonly videos: readonly VideoState[]
  /** Whether somebody may join the call in this session state. */
  readonly join: boolean
}

const VIDEOS_OF_SESSION: { readonly [State in SessionState]?: VideoRow } = {
  ready: { videos: ['not_started', 'waiting_for_participants'], join: true },
  in_progress: { videos: ['waiting_for_participants', 'active'], join: true },
  completed: { videos: ['ended'], join: false },
  cancelled: { videos: ['not_started', 'ended'], join: false },
}

const BEFORE_READY: VideoRow = { videos: ['not_started'], join: false }
const NO_SHOW: VideoRow = { videos: ['not_started', 'ended'], join: false }

/** domain.md §3.3 A2 and A3: `failed` where a call can fail, and a row for each state that had none. */
const VIDEOS_OF_SESSION_AMENDED: { readonly [State in SessionState]: VideoRow } = {
  requested: BEFORE_READY,
  approved: BEFORE_READY,
  payment_pending: BEFORE_READY,
  paid: BEFORE_READY,
  forms_required: BEFORE_READY,
  ready: { videos: ['not_started', 'waiting_for_participants', 'failed'], join: true },
  in_progress: { videos: ['waiting_for_participants', 'active', 'failed'], join: true },
  completed: { videos: ['ended'], join: false },
  cancelled: { videos: ['not_started', 'ended'], join: false },
  no_show_client: NO_SHOW,
  no_show_therapist: NO_SHOW,
}

const NO_ACTIONS: readonly string[] = []
const ALERT_CLIENT_RETRY: readonly string[] = ['ALERT_CLIENT_RETRY']

/** Judges a triple: payment against session first, then session against video (domain.md §3.7, order of codes). */
export function crossSync(payment: string, session: string, video: string, mode: SyncMode): SyncVerdict | SyncRefused {
  if (!isPayment(payment) || !isSession(session) || !isVideo(video)) {
    return { error: 'VALIDATION_ERROR', valid: false, requiredActions: NO_ACTIONS }
  }
  const sessions = mode === 'literal' ? SESSIONS_OF_PAYMENT[payment] : SESSIONS_OF_PAYMENT_AMENDED[payment]
  if (!sessions.includes(session)) return { valid: false, requiredActions: NO_ACTIONS, code: 'PAYMENT_SESSION_SYNC' }
  const row = videoRow(session, mode)
  if (row !== undefined && !row.videos.includes(video)) {
    return { valid: false, requiredActions: NO_ACTIONS, code: 'SESSION_VIDEO_SYNC' }
  }
  return { valid: true, requiredActions: payment === 'failed' ? ALERT_CLIENT_RETRY : NO_ACTIONS }
}

/** Do both amended matrices hold this triple? PERF: asked at every commit: two lookups in short lists. */
export function isLegal({ payment, session, video }: Triple): boolean {
  return (
    SESSIONS_OF_PAYMENT_AMENDED[payment].includes(session) && VIDEOS_OF_SESSION_AMENDED[session].videos.includes(video)
  )
}

/** The column "join" of the video matrix; null where the literal matrix has no row. */
export function joinAllowed(session: SessionState, mode: SyncMode): boolean | null {
  return videoRow(session, mode)?.join ?? null
}

/** All triples that `mode` allows, in the order of the state lists. */
export function legalTriples(mode: SyncMode): Triple[] {
  const triples: Triple[] = []
  for (const payment of PAYMENT_STATES) {
    for (const session of SESSION_STATES) {
      for (const video of VIDEO_STATES) {
        if (crossSync(payment, session, video, mode).valid) triples.push({ payment, session, video })
      }
    }
  }
  return triples
}

function videoRow(session: SessionState, mode: SyncMode): VideoRow | undefined {
  return mode === 'literal' ? VIDEOS_OF_SESSION[session] : VIDEOS_OF_SESSION_AMENDED[session]
}

function isPayment(text: string): text is PaymentState {
  return (PAYMENT_STATES as readonly string[]).includes(text)
}

function isSession(text: string): text is SessionState {
  return (SESSION_STATES as readonly string[]).includes(text)
}

function isVideo(text: string): text is VideoState {
  return (VIDEO_STATES as readonly string[]).includes(text)
}

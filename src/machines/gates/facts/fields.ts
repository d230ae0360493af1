import { z } from 'zod'
import {
  BOUNDARY_LENGTH_MAX,
  CONSENT_LENGTH_MAX,
  DRAFT_LENGTH_MAX,
  DURATION_LENGTH_MAX,
  EMOTION_LENGTH_MAX,
  EVENT_LENGTH_MAX,
  ID_LENGTH_MAX,
  ADJUSTMENT_LENGTH_MAX,
  MEASURE_LENGTH_MAX,
  NEED_LENGTH_MAX,
  NOTE_LENGTH_MAX,
  PLAN_LENGTH_MAX,
} from './gates-bounds.ts'
import { NEED_CATEGORIES } from './rows.ts'

/** Fields of commands and queries (domain.md §2.3). Texts are trimmed; a required one that is empty then is refused. */

const text = (max: number) => z.string().trim().min(1).max(max)

/** An id of any machine: `ses-1`, `need-1`. */
export const id = z.string().min(1).max(ID_LENGTH_MAX)
/** A dialogue, by its id. */
export const sid = z.object({ sid: id })

export const eventText = text(EVENT_LENGTH_MAX)
export const emotion = text(EMOTION_LENGTH_MAX)
export const boundaryText = text(BOUNDARY_LENGTH_MAX)
export const note = z.string().trim().max(NOTE_LENGTH_MAX)
export const draftText = text(DRAFT_LENGTH_MAX)
export const needText = text(NEED_LENGTH_MAX)
export const adjustment = text(ADJUSTMENT_LENGTH_MAX)
export const consentText = text(CONSENT_LENGTH_MAX)
export const planText = text(PLAN_LENGTH_MAX)
export const duration = text(DURATION_LENGTH_MAX)
export const measure = text(MEASURE_LENGTH_MAX)
export const category = z.enum(NEED_CATEGORIES)

import { type Dialogue, numberOf } from '../../session/facts/rows.ts'
import { LIST_SCAN_MAX } from '../../session/facts/dialogue-bounds.ts'
import type { DialoguesView } from '../facts/dialogues.ts'
import { RETRIEVE_DIALOGUES_MAX } from '../facts/gates-bounds.ts'

/** The dialogues that a person has had, and of those the ones with the same partner. */

/** The latest first, of whatever partner; from `upTo` on downwards where that is given. */
export function dialoguesOf(view: DialoguesView, user: string, upTo?: string): readonly Dialogue[] {
  const bound = upTo === undefined ? {} : { to: [user, numberOf(upTo) + 1] as const }
  const rows = view.dialoguesOf.range({ prefix: [user], ...bound, limit: LIST_SCAN_MAX, reverse: true })
  return rows.flatMap(([, sid]) => view.dialogues.get(sid) ?? [])
}

/** This dialogue and earlier ones of the same two people, the latest first. */
export function sameRelationship(view: DialoguesView, user: string, dialogue: Dialogue): readonly Dialogue[] {
  return dialoguesOf(view, user, dialogue.id)
    .filter(({ relationshipId }) => relationshipId === dialogue.relationshipId)
    .slice(0, RETRIEVE_DIALOGUES_MAX)
}

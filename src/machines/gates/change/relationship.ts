import type { Dialogue } from '../../session/facts/rows.ts'
import { LIST_SCAN_MAX } from '../../session/facts/dialogue-bounds.ts'
import type { DialoguesView } from '../facts/dialogues.ts'
import { RETRIEVE_DIALOGUES_MAX } from '../facts/gates-bounds.ts'

/** The dialogues that a person has had, and of those the ones with the same partner. */

/** The latest first, of whatever partner. */
export function dialoguesOf(view: DialoguesView, user: string): readonly Dialogue[] {
  const rows = view.dialoguesOf.range({ prefix: [user], limit: LIST_SCAN_MAX, reverse: true })
  return rows.flatMap(([, sid]) => view.dialogues.get(sid) ?? [])
}

/** This dialogue and earlier ones of the same relationship, the latest first. */
export function sameRelationship(view: DialoguesView, user: string, dialogue: Dialogue): readonly Dialogue[] {
  const all = dialoguesOf(view, user)
  const upToThis = all.slice(all.findIndex(({ id }) => id === dialogue.id))
  return upToThis
    .filter(({ relationshipId }) => relationshipId === dialogue.relationshipId)
    .slice(0, RETRIEVE_DIALOGUES_MAX)
}

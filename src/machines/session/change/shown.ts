import { z } from 'zod'
import type { Parsed } from '../../../machine/define/schema.ts'
import { dialogueRow, invitation, type Dialogue } from '../facts/rows.ts'

/** A dialogue as its members get it (domain.md §1.7). */
export const shownDialogue = dialogueRow.omit({ archivedBy: true, msgSeq: true, invitation: true }).extend({
  /** Whether the viewer has put it away. */
  archived: z.boolean(),
  /** All of it for the creator; nobody else sees token, address and note. */
  invitation: invitation.omit({ taskId: true }).nullable(),
})

/** What one of its members may see of a dialogue: the creator's note and the invitation are the creator's. */
export function showDialogue(dialogue: Dialogue, viewer: string): Parsed<typeof shownDialogue> {
  const { archivedBy, msgSeq: _last, invitation: sent, context, ...core } = dialogue
  const own = viewer === dialogue.creatorId
  const { taskId: _task, ...shown } = sent
  return {
    ...core,
    context: own ? context : null,
    archived: archivedBy.includes(viewer),
    invitation: own ? shown : null,
  }
}

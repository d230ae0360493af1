import type { Rejection } from '../../../machine/define/rejection.ts'
import type { Dialogue } from '../facts/rows.ts'
import type { SessionContext, SessionQueryContext, SessionView } from '../facts/session-schema.ts'

/** Who may see and do what (domain.md §0.5, checks 4 and 5). */

/** People act in dialogues; administrators and workers do not. */
export const isPerson = (principal: string): boolean => principal.startsWith('user:')

/** One of the two; the invited person is one from the acceptance on. */
export const isMember = ({ creatorId, partnerId }: Dialogue, principal: string): boolean =>
  principal === creatorId || principal === partnerId

/** The other one of the two; null before the invitation is accepted. */
export const otherOf = ({ creatorId, partnerId }: Dialogue, principal: string): string | null =>
  principal === creatorId ? partnerId : creatorId

/** The members but one: nobody before the invitation is accepted. */
export const othersThan = (dialogue: Dialogue, principal: string): readonly string[] =>
  membersOf(dialogue).filter((member) => member !== principal)

/** The creator and, from the acceptance on, the partner. */
export const membersOf = ({ creatorId, partnerId }: Dialogue): readonly string[] =>
  partnerId === null ? [creatorId] : [creatorId, partnerId]

/** The dialogue for one of its members; to everybody else there is none, so that nobody learns who talks with whom. */
export function dialogueOf(ctx: SessionContext, sid: string): Dialogue | Rejection<'NOT_FOUND'> {
  const dialogue = ctx.state.dialogues.get(sid)
  return dialogue !== undefined && isMember(dialogue, ctx.principal) ? dialogue : ctx.reject('NOT_FOUND', { sid })
}

/** The same in a query, which may come from outside any session. */
export function visibleDialogue(
  view: SessionView,
  context: SessionQueryContext,
  sid: string,
): { readonly dialogue: Dialogue; readonly viewer: string } | Rejection<'UNAUTHENTICATED' | 'NOT_FOUND'> {
  const viewer = context.session?.principal
  if (viewer === undefined) return context.reject('UNAUTHENTICATED')
  const dialogue = view.dialogues.get(sid)
  if (dialogue === undefined || !isMember(dialogue, viewer)) return context.reject('NOT_FOUND', { sid })
  return { dialogue, viewer }
}

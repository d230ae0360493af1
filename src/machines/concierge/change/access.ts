import type { Rejection } from '../../../machine/define/rejection.ts'
import type { ConciergeContext, ConciergeQueryContext, ConciergeView } from '../facts/concierge-schema.ts'
import type { Conversation } from '../facts/rows.ts'

/** Who may see and do what (domain.md §0.5, checks 4 and 5). */

export const isAdmin = (principal: string): boolean => principal.startsWith('admin:')

/** A contractor for oneself, an administrator for anybody. */
export const actsFor = (principal: string, contractorId: string): boolean =>
  principal === contractorId || isAdmin(principal)

/** A conversation for its contractor and for administrators; to everybody else there is none. */
export function conversationOf(ctx: ConciergeContext, id: string): Conversation | Rejection<'NOT_FOUND'> {
  const conversation = ctx.state.conversations.get(id)
  if (conversation !== undefined && actsFor(ctx.principal, conversation.contractorId)) return conversation
  return ctx.reject('NOT_FOUND', { id })
}

/** The same in a query, which may come from outside any session. */
export function visibleConversation(
  view: ConciergeView,
  context: ConciergeQueryContext,
  id: string,
): Conversation | Rejection<'UNAUTHENTICATED' | 'NOT_FOUND'> {
  const viewer = context.session?.principal
  if (viewer === undefined) return context.reject('UNAUTHENTICATED')
  const conversation = view.conversations.get(id)
  if (conversation !== undefined && actsFor(viewer, conversation.contractorId)) return conversation
  return context.reject('NOT_FOUND', { id })
}

/** Null for who may see a contractor's registrations. */
export function refusedViewer(
  context: ConciergeQueryContext,
  contractorId: string,
): Rejection<'UNAUTHENTICATED' | 'FORBIDDEN'> | null {
  const viewer = context.session?.principal
  if (viewer === undefined) return context.reject('UNAUTHENTICATED')
  return actsFor(viewer, contractorId) ? null : context.reject('FORBIDDEN', { contractorId })
}

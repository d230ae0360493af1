import type { Dialogue, Invitation } from '../facts/rows.ts'
import type { SessionContext } from '../facts/session-schema.ts'

/**
 * One open dialogue per pair (L-I4). Before the acceptance a pair is the creator and whoever was invited, as it was written;
 * from then on it is the two people, in either order. The first key stays with the dialogue until it is closed, so that the
 * same address is not invited twice.
 */
type PairKey = readonly [string, string]

/** Before the acceptance. */
export const invitedPair = (
  creatorId: string,
  { inviteeKind, inviteeRef }: Pick<Invitation, 'inviteeKind' | 'inviteeRef'>,
): PairKey => [creatorId, `${inviteeKind}:${inviteeRef}`]

/** Two people, whoever of them invited the other. */
export const peoplePair = (one: string, other: string): PairKey => (one < other ? [one, other] : [other, one])

/** The open dialogue of a pair. */
export const openDialogueOf = (ctx: SessionContext, pair: PairKey): string | null => ctx.state.pairs.get(pair) ?? null

/** The relationship of a pair: the one that there is, or `otherwise`. */
export function relationshipOf(ctx: SessionContext, pair: PairKey, otherwise: () => string): string {
  const known = ctx.state.relationships.get(pair)
  if (known !== undefined) return known
  const made = otherwise()
  ctx.state.relationships.set(pair, made)
  return made
}

/** Its people may begin another dialogue. */
export function releasePairs(ctx: SessionContext, { creatorId, partnerId, invitation }: Dialogue): void {
  ctx.state.pairs.delete(invitedPair(creatorId, invitation))
  if (partnerId !== null) ctx.state.pairs.delete(peoplePair(creatorId, partnerId))
}

/** The next number of a counter: ids count up in the state. */
export function nextNumber(ctx: SessionContext, counter: 'ses' | 'inv' | 'rel' | `emo/${string}`): number {
  const number = (ctx.state.counters.get(counter) ?? 0) + 1
  ctx.state.counters.set(counter, number)
  return number
}

import { COMMON_GROUND_MAX } from '../facts/gates-bounds.ts'
import { visibleCommonGround } from '../facts/gate-facts.ts'
import type { GatesContext } from '../facts/gates-schema.ts'
import { idOf } from '../facts/ids.ts'
import type { CommonGround } from '../facts/rows.ts'
import type { Place } from './access.ts'
import { nextNumber } from './people.ts'

/**
 * Writes an item; null where there is no room. An item of which a source was revoked never comes back, so it does not count,
 * and makes room.
 */
export function addCommonGround(
  ctx: GatesContext,
  { sid, dialogue }: Pick<Place, 'sid' | 'dialogue'>,
  item: Omit<CommonGround, 'confirmedAt' | 'at'>,
): string | null {
  const visible = visibleCommonGround(ctx.state, sid).map(([[, number]]) => number)
  if (visible.length >= COMMON_GROUND_MAX) return null
  for (const [[, number]] of ctx.state.commonGround.range({ prefix: [sid], limit: COMMON_GROUND_MAX })) {
    if (!visible.includes(number)) ctx.state.commonGround.delete([sid, number])
  }
  const number = nextNumber(ctx, dialogue.relationshipId, 'cg')
  ctx.state.commonGround.set([sid, number], { ...item, confirmedAt: null, at: ctx.now })
  return idOf('cg', number)
}

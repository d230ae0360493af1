import { on } from '../../../machine/define/events.ts'
import { gatesEvents } from '../../gates/facts/gates-events.ts'
import { touch } from '../change/move.ts'
import { isClosed } from '../facts/states.ts'
import type { SessionContext } from '../facts/session-schema.ts'

/** Whatever one of the two does in another machine is activity, too (domain.md §1.3). */
export const onMemberActed = on(gatesEvents, 'MemberActed', (ctx: SessionContext, { sid }) => {
  const dialogue = ctx.state.dialogues.get(sid)
  // A closed one stays as it is (L-I5): what is shared in it may still be taken back.
  if (dialogue !== undefined && !isClosed(dialogue.status)) touch(ctx, dialogue)
})

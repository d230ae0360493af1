import { on } from '../../../machine/define/events.ts'
import { gatesEvents } from '../../gates/facts/gates-events.ts'
import { reconcilerEvents } from '../../reconciler/facts/reconciler-events.ts'
import { touch } from '../change/move.ts'
import { isClosed } from '../facts/states.ts'
import type { SessionContext } from '../facts/session-schema.ts'
import { stageOfReader } from './talk-commands.ts'

/** Whatever one of the two does in another machine is activity, too (domain.md §1.3). */
export const onMemberActed = on(gatesEvents, 'MemberActed', (ctx: SessionContext, { sid }) => active(ctx, sid))
/** The same in the empathy exchange. */
export const onExchanged = on(reconcilerEvents, 'MemberActed', (ctx: SessionContext, { sid }) => active(ctx, sid))

function active(ctx: SessionContext, sid: string): void {
  const dialogue = ctx.state.dialogues.get(sid)
  // A closed one stays as it is (L-I5): what is shared in it may still be taken back.
  if (dialogue !== undefined && !isClosed(dialogue.status)) touch(ctx, dialogue)
}

/** Another machine's message for one of the two: it gets the next number of the one log (domain.md §0.8). */
export const onMessagePosted = on(
  reconcilerEvents,
  'MessagePosted',
  (ctx: SessionContext, { sid, forUser, ...message }) => {
    const dialogue = ctx.state.dialogues.get(sid)
    if (dialogue === undefined) return
    const seq = dialogue.msgSeq + 1
    ctx.state.dialogues.set(sid, { ...dialogue, msgSeq: seq })
    ctx.state.messages.set([sid, forUser, stageOfReader(ctx, sid, forUser), seq], { at: ctx.now, ...message })
  },
)

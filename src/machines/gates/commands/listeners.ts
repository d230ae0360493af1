import { on } from '../../../machine/define/events.ts'
import { reconcilerEvents } from '../../reconciler/facts/reconciler-events.ts'
import { ownWords } from '../../session/change/own-words.ts'
import { sessionEvents } from '../../session/facts/session-events.ts'
import { sessionTables } from '../facts/dialogues.ts'
import { OWN_WORDS_MAX } from '../facts/gates-bounds.ts'
import { gatesEvents } from '../facts/gates-events.ts'
import type { GatesContext } from '../facts/gates-schema.ts'
import { enterFirst } from '../change/access.ts'
import { consentsLeft, grantAttempt, showAttempt } from '../change/consents.ts'
import { changePerson } from '../change/people.ts'
import { completeStage } from './stage-commands.ts'
import { cancelTasks, peopleOf } from './task-results.ts'

/** What gates does about domain events (domain.md §0.9). */

/** Both are there: each stands at the first stage. */
export const onActivated = on(sessionEvents, 'SessionActivated', (ctx: GatesContext, { sid }) => {
  enterFirst(ctx, sid, peopleOf(ctx, sid))
})

/** It is over: the stages of a resolved dialogue are complete; those of an abandoned one stay as they were. */
export const onClosed = on(sessionEvents, 'SessionClosed', (ctx: GatesContext, { sid, status }) => {
  // One that was never active has nobody here, and no rows.
  if (!ctx.state.dialogues.has(sid)) return
  cancelTasks(ctx, sid)
  if (status === 'RESOLVED') for (const user of peopleOf(ctx, sid)) completeStage(ctx, sid, user)
})

/** At stage 3 a worker looks for needs in what this person wrote, and in nobody else's words. */
export const onStageEntered = on(gatesEvents, 'StageEntered', (ctx: GatesContext, { sid, user, stage }) => {
  if (stage !== 3) return
  const latest = { prefix: [sid, user] as const, limit: OWN_WORDS_MAX, reverse: true }
  const written = ownWords(ctx.read(sessionTables), { sid, user }, OWN_WORDS_MAX)
  const needsTaskId = ctx.task('needs.synthesize', sid, {
    sid,
    user,
    events: ctx.state.events.range(latest).map(([, { description }]) => description),
    boundaries: ctx.state.boundaries.range(latest).map(([, { description }]) => description),
    messages: written.map(({ text }) => text).reverse(),
  })
  changePerson(ctx, sid, user, { needsTaskId })
})

/** An attempt is shared under a consent, as anything else is: whose it is can take it back. */
export const onAttemptShared = on(reconcilerEvents, 'AttemptShared', (ctx: GatesContext, { sid, ...attempt }) => {
  const dialogue = ctx.read(sessionTables).dialogues.get(sid)
  if (dialogue === undefined) return undefined
  if (consentsLeft(ctx.state, sid, attempt.guesser) <= 0) return ctx.reject('VALIDATION_ERROR', { reason: 'TOO_MANY' })
  return grantAttempt(ctx, { sid, dialogue }, attempt)
})

/** From now on what is shared under that consent is there to be read, in the words that were shown. */
export const onAttemptRevealed = on(reconcilerEvents, 'AttemptRevealed', (ctx: GatesContext, { sid, ...attempt }) =>
  showAttempt(ctx, sid, attempt),
)

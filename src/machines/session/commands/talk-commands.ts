import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { presentStage } from '../../gates/facts/gate-facts.ts'
import { gatesTables } from '../../gates/facts/gates-schema.ts'
import type { Stage } from '../../gates/facts/stages.ts'
import { dialogueOf } from '../change/access.ts'
import { touch } from '../change/move.ts'
import { nextNumber } from '../change/pairs.ts'
import { MESSAGES_MAX, READINGS_KEPT_MAX, READING_INTERVAL_MS, READING_SCAN_MAX } from '../facts/dialogue-bounds.ts'
import { emotionContext, intensity, messageText, sid } from '../facts/fields.ts'
import { readingRow, type Reading } from '../facts/rows.ts'
import type { SessionContext } from '../facts/session-schema.ts'
import { SUPPORT_OFFERS, supportOffer } from '../rules/support.ts'

/** What a person writes and feels (domain.md §1.3). Neither is ever shown to the partner. */

/** A message to the product, for its author's eyes alone (domain.md §0.8); with an intensity a reading too. */
export const postMessage = command(
  {
    input: sid.extend({
      text: messageText,
      emotionalIntensity: intensity.optional(),
      emotionalContext: emotionContext.optional(),
    }),
    output: z.object({ seq: z.int(), stage: z.int(), reading: readingRow.nullable() }),
  },
  (ctx: SessionContext, input) => {
    const dialogue = dialogueOf(ctx, input.sid)
    if (isRejection(dialogue)) return dialogue
    if (dialogue.status !== 'ACTIVE') return ctx.reject('SESSION_NOT_ACTIVE', { status: dialogue.status })
    if (dialogue.msgSeq >= MESSAGES_MAX)
      return ctx.reject('VALIDATION_ERROR', { reason: 'TOO_MANY', max: MESSAGES_MAX })
    const { principal, now } = ctx
    const stage = stageOfReader(ctx, input.sid, ctx.principal)
    const { msgSeq: seq } = touch(ctx, { ...dialogue, msgSeq: dialogue.msgSeq + 1 })
    const message = { at: now, senderId: principal, role: 'USER' as const, kind: null, text: input.text }
    ctx.state.messages.set([input.sid, principal, stage, seq], message)
    const { emotionalIntensity: felt, emotionalContext: about } = input
    const reading = felt === undefined ? null : addReading(ctx, { sid: input.sid, stage, intensity: felt, about })
    return { seq, stage, reading }
  },
)

/** How it is just now; also in a pause. At most one in thirty seconds; an offer of support never blocks anything. */
export const recordEmotion = command(
  {
    input: sid.extend({ intensity, context: emotionContext.optional() }),
    output: z.object({ reading: readingRow, offerSupport: z.enum(SUPPORT_OFFERS).nullable() }),
  },
  (ctx: SessionContext, input) => {
    const dialogue = dialogueOf(ctx, input.sid)
    if (isRejection(dialogue)) return dialogue
    const { status } = dialogue
    if (status !== 'ACTIVE' && status !== 'PAUSED') return ctx.reject('SESSION_NOT_ACTIVE', { status })
    const { principal, now } = ctx
    const retryAt = (ctx.state.recordedAt.get(principal) ?? -READING_INTERVAL_MS) + READING_INTERVAL_MS
    if (now < retryAt) return ctx.reject('RATE_LIMITED', { retryAt })
    const earlier = latestReadings(ctx, input.sid)
    const stage = stageOfReader(ctx, input.sid, ctx.principal)
    const { intensity: felt, context: about } = input
    const reading = addReading(ctx, { sid: input.sid, stage, intensity: felt, about })
    ctx.state.recordedAt.set(principal, now)
    touch(ctx, dialogue)
    return { reading, offerSupport: supportOffer(reading, earlier) }
  },
)

/** The stage of whoever reads a message; 0 before the first one is entered. */
export const stageOfReader = (ctx: SessionContext, id: string, reader: string): Stage =>
  presentStage(ctx.read(gatesTables), id, reader)

/** The issuer's readings, the latest first. */
function latestReadings(ctx: SessionContext, id: string): readonly Reading[] {
  const rows = ctx.state.readings.range({ prefix: [id, ctx.principal], limit: READING_SCAN_MAX, reverse: true })
  return rows.map(([, reading]) => reading)
}

function addReading(
  ctx: SessionContext,
  given: {
    readonly sid: string
    readonly stage: Stage
    readonly intensity: number
    readonly about: string | undefined
  },
): Reading {
  const number = nextNumber(ctx, `emo/${ctx.principal}`)
  const context = given.about === undefined || given.about === '' ? null : given.about
  const reading = { id: `emo-${number}`, intensity: given.intensity, context, stage: given.stage, at: ctx.now }
  const own = [given.sid, ctx.principal] as const
  ctx.state.readings.set([...own, number], reading)
  const [oldest] = ctx.state.readings.range({ prefix: own, limit: 1 })
  if (oldest !== undefined && ctx.state.readings.count({ prefix: own }) > READINGS_KEPT_MAX) {
    ctx.state.readings.delete(oldest[0])
  }
  return reading
}

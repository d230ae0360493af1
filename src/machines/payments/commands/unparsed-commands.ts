import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import { providerOnly } from '../change/access.ts'
import type { PaymentsContext } from '../facts/payments-schema.ts'
import { UNPARSED_RING, unparsedFields } from '../facts/unparsed.ts'

/**
 * Keeps a body of the provider that cannot be read, for a person: it may speak of money. A provider sends what was refused
 * again, so one that is kept is only counted.
 */
export const keepUnparsed = command(
  { input: z.object(unparsedFields), output: z.object({ seq: z.int(), times: z.int() }) },
  (ctx: PaymentsContext, { field, reason, body, bytes }) => {
    const digest = ctx.hashHex(`${bytes} ${body}`)
    const stranger = providerOnly(ctx, 'keepUnparsed', digest)
    if (stranger !== null) return stranger
    const known = ctx.state.unparsedOf.get(digest)
    const seen = known === undefined ? undefined : ctx.state.unparsed.get(known)
    if (known !== undefined && seen !== undefined) {
      const times = seen.times + 1
      ctx.state.unparsed.set(known, { ...seen, lastAt: ctx.now, times })
      return { seq: known, times }
    }
    const [newest] = ctx.state.unparsed.range({ limit: 1, reverse: true })
    const seq = (newest?.[0] ?? 0) + 1
    const oldest = ctx.state.unparsed.get(seq - UNPARSED_RING)
    if (oldest !== undefined) {
      ctx.state.unparsedOf.delete(ctx.hashHex(`${oldest.bytes} ${oldest.body}`))
      ctx.state.unparsed.delete(seq - UNPARSED_RING)
    }
    ctx.state.unparsed.set(seq, { field, reason, body, bytes, at: ctx.now, lastAt: ctx.now, times: 1 })
    ctx.state.unparsedOf.set(digest, seq)
    ctx.alert('CALLBACK_UNPARSED', { seq, field, reason })
    return { seq, times: 1 }
  },
)

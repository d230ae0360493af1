import { z } from 'zod'
import { command, defineMachine, type Context } from '../../machine/index.ts'
import { exchangeTables } from '../../machines/gates/facts/exchange.ts'

const sid = z.object({ sid: z.string().min(1).max(64) })
const { schema } = exchangeTables
const output = z.object({ status: z.string() })

/**
 * Stands for the machine of the empathy exchange, which is planned, so that a demo gets beyond stage 2: whoever consents has
 * shared the guess; when both have, both are revealed; the other one finds it right. It checks nothing and asks nobody.
 */
export const exchangeStandIn = defineMachine('reconciler', schema, {
  commands: {
    consent: command({ input: sid, output }, (ctx: Context<typeof schema>, input) => {
      const { attempts } = ctx.state
      attempts.set([input.sid, ctx.principal], { status: 'HELD', revealed: false })
      const both = attempts.range({ prefix: [input.sid], limit: 2 })
      if (both.length < 2) return { status: 'HELD' }
      for (const [key] of both) attempts.set(key, { status: 'REVEALED', revealed: true })
      return { status: 'REVEALED' }
    }),
    validate: command({ input: sid, output }, (ctx: Context<typeof schema>, input) => {
      const partners = ctx.state.attempts
        .range({ prefix: [input.sid], limit: 2 })
        .filter(([[, by]]) => by !== ctx.principal)
      for (const [key] of partners) ctx.state.attempts.set(key, { status: 'VALIDATED', revealed: true })
      return { status: 'VALIDATED' }
    }),
  },
})

import { command, defineMachine, query, table } from 'holdfast'
import { z } from 'zod'

/** Tokens of a full bucket. */
export const TOKENS_MAX = 10
/** One token comes back per this many ms. */
export const TOKEN_MS = 200

const key = z.string().min(1).max(128)

/**
 * A token bucket per key. A bucket is one number, the time at which it will be full again: what is in it follows from the
 * log's time, so that it fills without a timer ticking, and equally on every node.
 */
export const rateLimiter = defineMachine(
  'rate-limiter',
  {
    version: 1,
    state: { buckets: table(key, z.object({ fullAt: z.int() })) },
    errors: { LIMITED: z.object({ retryAt: z.int() }) },
    timers: { forget: z.object({ key }) },
  },
  {
    commands: {
      take: command(
        {
          input: z.object({ key, tokens: z.int().min(1).max(TOKENS_MAX).default(1) }),
          output: z.object({ left: z.int() }),
        },
        (ctx, { key, tokens }) => {
          const fullAt = Math.max(ctx.now, ctx.state.buckets.get(key)?.fullAt ?? 0) + tokens * TOKEN_MS
          const retryAt = fullAt - TOKENS_MAX * TOKEN_MS
          if (retryAt > ctx.now) return ctx.reject('LIMITED', { retryAt })
          ctx.state.buckets.set(key, { fullAt })
          // A full bucket is like none: its row goes.
          ctx.schedule('forget', fullAt, { key }, key)
          return { left: leftOf(fullAt, ctx.now) }
        },
      ),
    },
    queries: {
      left: query({ input: key, output: z.int() }, (view, key, ctx) => {
        return leftOf(view.buckets.get(key)?.fullAt ?? 0, ctx.now)
      }),
    },
    timers: { forget: (ctx, { key }) => void ctx.state.buckets.delete(key) },
  },
)

/** Whole tokens in a bucket that will be full then. */
function leftOf(fullAt: number, now: number): number {
  return TOKENS_MAX - Math.ceil(Math.max(0, fullAt - now) / TOKEN_MS)
}

import { z } from 'zod'

/**
 * The schema of the server request by which a session hears of the end of its wait, for `requests` of a machine whose
 * `ctx.wait` delivers it; `value` is the one that the machine declares in `waits`. `key` is `kind/key`.
 */
export function waitNotice<Value extends z.ZodType>(
  value: Value,
): z.ZodObject<{
  waitId: z.ZodString
  key: z.ZodString
  end: z.ZodDiscriminatedUnion<
    [
      z.ZodObject<{ kind: z.ZodLiteral<'signalled'>; value: Value }>,
      z.ZodObject<{ kind: z.ZodLiteral<'timedOut'> }>,
      z.ZodObject<{ kind: z.ZodLiteral<'ownerEnded'> }>,
    ],
    'kind'
  >
}> {
  return z.object({
    waitId: z.string(),
    key: z.string(),
    end: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('signalled'), value }),
      z.object({ kind: z.literal('timedOut') }),
      z.object({ kind: z.literal('ownerEnded') }),
    ]),
  })
}

import { command, defineMachine, query, table } from 'holdfast'
import { z } from 'zod'

export const sample = defineMachine(
  'sample',
  {
    version: 1,
    state: { entries: table(z.string(), z.object({ text: z.string(), at: z.int() })) },
    errors: { TOO_LONG: z.object({ max: z.int() }) },
    requests: { changed: z.object({ key: z.string() }) },
  },
  {
    commands: {
      put: command(
        { input: z.object({ key: z.string().min(1).max(64), text: z.string() }), output: z.null() },
        (ctx, { key, text }) => {
          if (text.length > 100) return ctx.reject('TOO_LONG', { max: 100 })
          ctx.state.entries.set(key, { text, at: ctx.now })
          ctx.emit(ctx.session.id, 'changed', { key }, { overflow: 'dropOldest' })
          return null
        },
      ),
    },
    queries: {
      text: query({ input: z.string(), output: z.string().nullable() }, (view, key) => {
        return view.entries.get(key)?.text ?? null
      }),
    },
  },
)

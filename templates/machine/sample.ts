import { command, defineMachine, query, table, transitions } from 'holdfast'
import { z } from 'zod'

/** What becomes of an entry; sample.mmd beside this file is its diagram. */
const life = transitions({ open: { put: 'open', close: 'closed' }, closed: {} }, { entity: 'entry' })

export const sample = defineMachine(
  'sample',
  {
    version: 1,
    state: { entries: table(z.string(), z.object({ text: z.string(), status: z.enum(life.states), at: z.int() })) },
    errors: { TOO_LONG: z.object({ max: z.int() }) },
    requests: { changed: z.object({ key: z.string() }) },
    graphs: { entry: life },
  },
  {
    commands: {
      put: command(
        { input: z.object({ key: z.string().min(1).max(64), text: z.string() }), output: z.null() },
        (ctx, { key, text }) => {
          if (text.length > 100) return ctx.reject('TOO_LONG', { max: 100 })
          const next = life.next(ctx.state.entries.get(key)?.status ?? life.initial, 'put')
          if (!next.ok) return ctx.reject('INVALID_STATE_TRANSITION', next.error)
          ctx.state.entries.set(key, { text, status: next.value, at: ctx.now })
          ctx.emit(ctx.session.id, 'changed', { key }, { overflow: 'dropOldest' })
          return null
        },
      ),
      close: command({ input: z.object({ key: z.string() }), output: z.null() }, (ctx, { key }) => {
        const entry = ctx.state.entries.get(key)
        if (entry === undefined) return ctx.reject('NOT_FOUND', { key })
        const next = life.next(entry.status, 'close')
        if (!next.ok) return ctx.reject('INVALID_STATE_TRANSITION', next.error)
        ctx.state.entries.set(key, { ...entry, status: next.value })
        return null
      }),
    },
    queries: {
      text: query({ input: z.string(), output: z.string().nullable() }, (view, key) => {
        return view.entries.get(key)?.text ?? null
      }),
    },
  },
)

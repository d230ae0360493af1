import { writeFileSync } from 'node:fs'

/** Server requests that one command emits, each to another session. */
export const FANOUT = 100

/** A machine that knows sessions by their places, and whose one command emits a request to each of 100 of them. */
const text = (sessions: number): string => `
import { command, defineMachine, query, table } from 'holdfast'
import { z } from 'zod'

const SESSIONS = ${sessions}
const STRIDE = Math.max(1, Math.floor(SESSIONS / ${FANOUT}))

export const fanout = defineMachine(
  'fanout',
  {
    version: 1,
    state: { places: table(z.int(), z.string()) },
    requests: { hint: z.object({ first: z.int(), at: z.int() }) },
  },
  {
    commands: {
      join: command({ input: z.int(), output: z.null() }, (ctx, place) => {
        ctx.state.places.set(place, ctx.session.id)
        return null
      }),
      spread: command({ input: z.int(), output: z.int() }, (ctx, first) => {
        let emitted = 0
        for (let at = 0; at < ${FANOUT}; at += 1) {
          const target = ctx.state.places.get((first + at * STRIDE) % SESSIONS)
          if (target !== undefined && ctx.emit(target, 'hint', { first, at })) emitted += 1
        }
        return emitted
      }),
    },
    queries: {},
  },
)
`

export function writeFanoutModule(path: string, sessions: number): void {
  writeFileSync(path, text(sessions))
}

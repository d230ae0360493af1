import { writeFileSync } from 'node:fs'

/** A machine that keeps a row for each session, and has work to do when one ends: three rows of its, and one that all share. */
const TEXT = `
import { command, defineMachine, query, table } from 'holdfast'
import { z } from 'zod'

export const presence = defineMachine(
  'presence',
  {
    version: 1,
    state: {
      here: table(z.string(), z.object({ name: z.string(), since: z.int() })),
      gone: table(z.string(), z.object({ name: z.string(), at: z.int(), reason: z.string() })),
      counts: table(z.string(), z.int()),
    },
  },
  {
    commands: {
      noop: command({ input: z.null(), output: z.null() }, () => null),
    },
    queries: {
      counts: query({ input: z.null(), output: z.array(z.int()) }, (view) => [
        view.here.count(),
        view.counts.get('gone') ?? 0,
      ]),
    },
    onSessionCreated: (ctx, session) => {
      ctx.state.here.set(session.id, { name: session.principal, since: ctx.now })
    },
    onSessionExpired: (ctx, session, _pending, reason) => {
      const { here, gone, counts } = ctx.state
      const row = here.get(session.id)
      here.delete(session.id)
      gone.set(session.id, { name: row?.name ?? '', at: ctx.now, reason })
      counts.set('gone', (counts.get('gone') ?? 0) + 1)
      ctx.notify('user:watcher', 'presence.gone', { id: session.id })
    },
  },
)
`

export function writePresenceModule(path: string): void {
  writeFileSync(path, TEXT)
}

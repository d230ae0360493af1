import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const MODULE = `
import { command, defineMachine, waitNotice } from 'holdfast'
import { z } from 'zod'

const signalInput = z.object({ key: z.string(), value: z.int() })

export const races = defineMachine(
  'races',
  { version: 1, state: {}, waits: { race: z.int() }, requests: { ended: waitNotice(z.int()) } },
  {
    commands: {
      wait: command({ input: z.string(), output: z.string().nullable() }, (ctx, key) =>
        ctx.wait('race', key, { owner: ctx.session.id, deliver: { type: 'ended' } }),
      ),
      signal: command({ input: signalInput, output: z.string() }, (ctx, { key, value }) => ctx.signal('race', key, value)),
    },
    waits: { race: () => undefined },
  },
)
`

/** Writes the module of a machine whose waits end by a server request to the session that waits. */
export function writeRaceModule(path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, MODULE)
}

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { command, defineMachine, personal, query, table, task } from '../../src/machine/index.ts'

/** Somebody's data: whose, and what of it is personal. */
export const person = z.object({
  id: z.string(),
  phone: personal('id', z.string().max(64)),
  address: personal('id', z.object({ street: z.string(), house: z.int() })).optional(),
})

/** A machine that stores, moves, returns, emits and hands to workers what it cannot read. */
export const people = defineMachine(
  'people',
  {
    version: 1,
    state: { people: table(z.string(), person) },
    errors: { TAKEN: z.object({ by: person }) },
    requests: { added: person },
    tasks: {
      call: task({
        role: 'caller',
        leaseMs: 60_000,
        maxAttempts: 1,
        backoffMs: [],
        payload: person,
        result: z.object({ done: z.boolean() }),
      }),
    },
  },
  {
    commands: {
      add: command({ input: person, output: person }, (ctx, input) => {
        const known = ctx.state.people.get(input.id)
        if (known !== undefined) return ctx.reject('TAKEN', { by: known })
        ctx.state.people.set(input.id, input)
        ctx.emit(ctx.session.id, 'added', input)
        ctx.task('call', input.id, input)
        return input
      }),
      note: command({ input: z.object({ bytes: z.instanceof(Uint8Array) }), output: z.null() }, () => null),
    },
    queries: {
      get: query(
        { input: z.object({ id: z.string() }), output: person.nullable() },
        (view, { id }) => view.people.get(id) ?? null,
      ),
      echo: query({ input: z.instanceof(Uint8Array), output: z.instanceof(Uint8Array) }, (_view, bytes) => bytes),
    },
    tasks: { call: { onResult: () => null, onFailed: () => undefined } },
  },
)

/** The bytes of every file below a directory, under its path. */
export async function filesBelow(directory: string): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>()
  for (const file of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(file.parentPath, file.name)
    // One that a running node has replaced meanwhile is gone.
    const bytes = file.isFile() ? await readFile(path).catch(() => null) : null
    if (bytes !== null) found.set(path, bytes)
  }
  return found
}

/** The files that hold one of these texts or bytes. */
export async function holding(directory: string, ...wanted: readonly (string | Uint8Array)[]): Promise<string[]> {
  const files = [...(await filesBelow(directory))]
  return files.filter(([, bytes]) => wanted.some((each) => bytes.includes(Buffer.from(each)))).map(([path]) => path)
}

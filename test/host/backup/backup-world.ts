import { writeFile } from 'node:fs/promises'
import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { connect } from '../../../src/client/index.ts'
import { type AskedBackup, backupPieces } from '../../../src/client/operator/backup.ts'
import { fileBytes } from '../../../src/host/backup/backup-files.ts'
import type { RestoreOptions } from '../../../src/host/backup/restore.ts'
import { type RunningNode, startEmbedded } from '../../../src/host/index.ts'
import { command, defineMachine, query, table } from '../../../src/machine/index.ts'

/** Keeps notes; an order is taken once by its key, whatever session asks. */
export const NOTES = defineMachine(
  'notes',
  { version: 1, state: { notes: table(z.string(), z.string()) }, errors: {} },
  {
    commands: {
      put: command(
        { input: z.object({ name: z.string(), text: z.string() }), output: z.string() },
        (ctx, { name, text }) => {
          ctx.state.notes.set(name, text)
          return ctx.id('note-')
        },
      ),
      order: command({ input: z.string(), output: z.string() }, (ctx, key) => {
        const asked = { scope: 'orders', key, fingerprint: key, retentionMs: 86_400_000 }
        const outcome = ctx.once(asked, () => ctx.id('order-'))
        return outcome.kind === 'conflict' ? 'conflict' : `${outcome.kind} ${outcome.value}`
      }),
    },
    queries: { read: query({ input: z.string(), output: z.string() }, (view, name) => view.notes.get(name) ?? '') },
  },
)

/** An interval that some fifty notes fill: the state is in a snapshot, and some entries are behind it. */
export const SMALL = { snapshotBytes: 64 * 1024 }

export async function running(dataDirectory: string, limits: { snapshotBytes: number } = SMALL): Promise<RunningNode> {
  const node = await startEmbedded({ dataDirectory, listen: '127.0.0.1:0', machines: [NOTES], limits })
  onTestFinished(() => node.close())
  return node
}

/** Writes notes [from, to), each with its number as its text, and gives what each was answered. */
export async function write(node: RunningNode, from: number, to: number): Promise<{ id: string; index: number }[]> {
  const session = await connect({ embedded: node, principal: 'user:ada' })
  const written: { id: string; index: number }[] = []
  for (let note = from; note < to; note += 1) {
    const outcome = await session.execute('notes', 'put', { name: `n${note}`, text: `${note} ${'x'.repeat(900)}` })
    if (outcome.kind !== 'ok') throw new Error(outcome.kind)
    written.push({ id: String(outcome.value), index: outcome.index })
  }
  await session.close()
  return written
}

/** Of the note's text what `write` gave it; '': there is no such note. */
export async function read(node: RunningNode, note: number): Promise<string> {
  const session = await connect({ embedded: node, principal: 'user:ada' })
  const answer = await session.query('notes', 'read', `n${note}`)
  await session.close()
  if (answer.kind !== 'ok') throw new Error(answer.kind)
  return String(answer.value).split(' ')[0] ?? ''
}

/** Keeps a backup of the node under that name, as it came. */
export async function save(node: RunningNode, path: string, asked: Partial<AskedBackup> = {}): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of backupPieces(node.address, { withLog: false, sinceIndex: 0, ...asked })) pieces.push(piece)
  await writeFile(path, Buffer.concat(pieces))
  return path
}

/** Restores a file to its end, as a cluster of one. */
export function restoring(file: string, data: string, given: Partial<RestoreOptions> = {}): RestoreOptions {
  return {
    file: () => fileBytes(file),
    base: null,
    data,
    id: 'n1',
    peers: [{ id: 'n1', address: '127.0.0.1:4600' }],
    toIndex: null,
    toTimeMs: null,
    start: null,
    dryRun: false,
    nowMs: Date.now(),
    onProgress: () => undefined,
    ...given,
  }
}

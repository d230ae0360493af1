import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { fileBytes } from '../../../src/host/backup/backup-files.ts'
import { replayBackup } from '../../../src/host/backup/replay-backup.ts'
import { command, defineMachine, table } from '../../../src/machine/index.ts'
import { userProject } from '../user-project.ts'
import { NOTES, running, save, write } from './backup-world.ts'

/** The same machine, whose `put` keeps another text. */
const CHANGED = defineMachine(
  'notes',
  { version: 1, state: { notes: table(z.string(), z.string()) }, errors: {} },
  {
    commands: {
      put: command(
        { input: z.object({ name: z.string(), text: z.string() }), output: z.string() },
        (ctx, { name, text }) => {
          ctx.state.notes.set(name, text.toUpperCase())
          return ctx.id('note-')
        },
      ),
      order: command({ input: z.string(), output: z.string() }, () => ''),
    },
  },
)

describe('the history in a backup, applied again', () => {
  test('makes the state that its node had at its end, from entry 1 or from the snapshot on; other handlers do not', async () => {
    const project = userProject()
    const node = await running(join(project, 'data'), { snapshotBytes: 64 * 1024 * 1024 })
    await write(node, 0, 20)
    const whole = await save(node, join(project, 'whole'), { withLog: true })
    await node.close()
    const report = await replayBackup(() => fileBytes(whole), [NOTES], null)
    expect(report).toMatchObject({ from: 1, compared: 1, differsAt: null, halted: null })
    expect(report.equalTo).toBe(report.to)
    const beside = await replayBackup(() => fileBytes(whole), [CHANGED], [NOTES])
    expect(beside.parted).toMatchObject({ row: { key: 'user/notes/notes/["n0"]' } })
    const small = await running(join(project, 'small'))
    await write(small, 0, 130)
    const late = await save(small, join(project, 'late'))
    const later = await replayBackup(() => fileBytes(late), [NOTES], null)
    expect(later).toMatchObject({ compared: 1, differsAt: null })
    expect(later.from).toBeGreaterThan(1)
  })
})

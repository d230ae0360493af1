import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { connect } from '../../src/client/index.ts'
import { type RunningNode, startEmbedded } from '../../src/host/index.ts'
import { replayDirectory } from '../../src/host/stopped/replay-directory.ts'
import { command, defineMachine, table } from '../../src/machine/index.ts'
import { userProject } from './user-project.ts'

/** Counts in steps; `step` is its code, which a later build changes without saying so. */
function tally(step: (by: number) => number, version = 1) {
  return defineMachine(
    'tally',
    { version, state: { counts: table(z.string(), z.object({ total: z.int(), steps: z.int() })) }, errors: {} },
    {
      commands: {
        add: command({ input: z.int(), output: z.null() }, (ctx, by) => {
          const row = ctx.state.counts.get('visits') ?? { total: 0, steps: 0 }
          ctx.state.counts.set('visits', { total: row.total + step(by), steps: row.steps + 1 })
          return null
        }),
      },
    },
  )
}

const RAN = tally((by) => by)
/** Differs from the third command on. */
const CHANGED = tally((by) => (by < 3 ? by : by * 10))

async function running(): Promise<{ directory: string; node: RunningNode; thirdAt: number }> {
  const directory = join(userProject(), 'data')
  const node = await startEmbedded({ dataDirectory: directory, listen: '127.0.0.1:0', machines: [RAN] })
  onTestFinished(() => node.close())
  const session = await connect({ embedded: node, principal: 'user:ada' })
  let thirdAt = 0
  for (const by of [1, 2, 3, 4]) {
    const outcome = await session.execute('tally', 'add', by)
    if (by === 3 && outcome.kind === 'ok') thirdAt = outcome.index
  }
  return { directory, node, thirdAt }
}

async function stopped(): Promise<{ directory: string; thirdAt: number }> {
  const { directory, node, thirdAt } = await running()
  await node.close()
  return { directory, thirdAt }
}

/** Every file below, with its content and the time of its last change. */
function contentOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => `${path} ${statSync(path).mtimeMs} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`)
}

describe('the history of a stopped node, applied again', () => {
  test('gives the same states with the machines that ran, and the directory is left as it was', async () => {
    const { directory } = await stopped()
    const before = contentOf(directory)
    const report = await replayDirectory(directory, [RAN], null)
    expect(report).toMatchObject({ from: 1, differsAt: null, halted: null, parted: null })
    expect(report.compared).toBeGreaterThan(0)
    expect(report.equalTo).toBe(report.to)
    expect(contentOf(directory)).toEqual(before)
  })

  test('is read through links, of the directory and in it, and what they lead to is left as it was', async () => {
    const { directory } = await stopped()
    const elsewhere = `${directory}-group`
    renameSync(join(directory, 'group-0'), elsewhere)
    symlinkSync(elsewhere, join(directory, 'group-0'))
    const link = `${directory}-LOCK-link`
    symlinkSync(directory, link)
    const before = contentOf(elsewhere)
    const report = await replayDirectory(link, [RAN], null)
    expect(report).toMatchObject({ from: 1, differsAt: null, halted: null })
    expect(contentOf(elsewhere)).toEqual(before)
  })

  test('is known to differ with a changed handler, and beside the old one parts at the very entry, row and field', async () => {
    const { directory, thirdAt } = await stopped()
    const alone = await replayDirectory(directory, [CHANGED], null)
    expect(alone.differsAt).toBeGreaterThanOrEqual(thirdAt)
    const beside = await replayDirectory(directory, [CHANGED], [RAN])
    expect(beside).toMatchObject({
      oldDiffersAt: null,
      parted: { index: thirdAt, row: { key: 'user/tally/counts/["visits"]', path: 'total', before: 6, after: 33 } },
    })
  })

  test('stops where the new machines must not apply an entry', async () => {
    const { directory } = await stopped()
    const report = await replayDirectory(directory, [tally((by) => by, 2)], null)
    expect(report.halted).toMatchObject({ build: 'new', code: 'MACHINE_MISSING' })
  })

  test('is refused while a process holds the directory, and where there is none', async () => {
    const { directory } = await running()
    await expect(replayDirectory(directory, [RAN], null)).rejects.toMatchObject({ code: 'LOCKED' })
    const empty = userProject({ 'a.txt': '' })
    writeFileSync(join(empty, 'b.txt'), '')
    await expect(replayDirectory(empty, [RAN], null)).rejects.toMatchObject({ code: 'IO_ERROR' })
  })
})

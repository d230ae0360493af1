import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { diffLogs, showLog, verifyLog } from '../../src/host/stopped/read-log.ts'
import { running, write } from './backup/backup-world.ts'
import { userProject } from './user-project.ts'

const ALL = { from: 1, to: Number.MAX_SAFE_INTEGER, limit: 1_000_000 }

/** A stopped node with some notes, and the directory that it had before the last of them. */
async function twoCopies(): Promise<{ data: string; copy: string; forkedAt: number }> {
  const project = userProject()
  const data = join(project, 'data')
  const first = await running(data)
  await write(first, 0, 10)
  await first.close()
  const copy = join(project, 'copy')
  cpSync(data, copy, { recursive: true })
  const { lastIndex } = await verifyLog(data)
  return { data, copy, forkedAt: lastIndex + 1 }
}

describe('the log of a stopped node', () => {
  test('is shown as it was written, in the range that was asked for', async () => {
    const { data } = await twoCopies()
    const lines = await showLog(data, ALL)
    expect(lines.map(({ index }) => index)).toEqual(lines.map((_, at) => (lines[0]?.index ?? 0) + at))
    expect(lines.filter(({ command }) => command === 'notes.put').length).toBeGreaterThan(0)
    const { lastIndex } = await verifyLog(data)
    const some = await showLog(data, { from: lastIndex - 3, to: lastIndex - 1, limit: 2 })
    expect(some.map(({ index }) => index)).toEqual([lastIndex - 3, lastIndex - 2])
  })

  test('is well, or is refused with the place of the damage', async () => {
    const { data } = await twoCopies()
    const found = await verifyLog(data)
    expect(found).toMatchObject({ node: 'n1', tornBytes: 0 })
    expect(found.lastIndex).toBeGreaterThanOrEqual(found.firstIndex)
    const log = join(data, 'group-0', 'log')
    const [name = ''] = readdirSync(log)
    const bytes = readFileSync(join(log, name))
    const at = bytes.indexOf('notes')
    bytes[at] = 0x58
    writeFileSync(join(log, name), bytes)
    await expect(verifyLog(data)).rejects.toMatchObject({ code: 'LOG_ROT' })
  })

  test('is compared with another one: equal up to the end of the shorter, or parted at the very entry', async () => {
    const { data, copy, forkedAt } = await twoCopies()
    expect(await diffLogs(data, copy)).toMatchObject({ differsAt: null, to: forkedAt - 1 })
    const left = await running(data)
    await write(left, 10, 15)
    await left.close()
    expect(await diffLogs(data, copy)).toMatchObject({ differsAt: null, to: forkedAt - 1 })
    const right = await running(copy)
    await write(right, 100, 107)
    await right.close()
    const found = await diffLogs(data, copy)
    const { differsAt } = found
    expect(differsAt).toBeGreaterThanOrEqual(forkedAt)
    expect(found.left?.index).toBe(differsAt)
    expect(found.left?.chain).not.toBe(found.right?.chain)
    const one = await showLog(data, { ...ALL, from: forkedAt, to: (differsAt ?? 0) - 1 })
    const other = await showLog(copy, { ...ALL, from: forkedAt, to: (differsAt ?? 0) - 1 })
    expect(one).toEqual(other)
  })
})

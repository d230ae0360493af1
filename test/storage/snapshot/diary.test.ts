import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openLevel } from '../../../src/storage/snapshot/snapshot-database.ts'

/** Opens the database, writes about 12 MB, which are several of its files, and closes it. */
async function write(directory: string): Promise<void> {
  const database = await openLevel(directory)
  const value = new Uint8Array(100_000)
  for (let at = 0; at < 120; at += 1) {
    await database.write([
      { key: new Uint8Array(Buffer.from(`k${at}`)), value: value.map((_byte, place) => place * at) },
    ])
  }
  await database.close()
}

test('the database keeps no diary that grows for as long as it is open, and an earlier build’s goes', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-diary-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  for (const name of ['LOG', 'LOG.old']) writeFileSync(join(directory, name), 'what an earlier build did')
  for (let time = 0; time < 2; time += 1) {
    await write(directory)
    const diaries = readdirSync(directory).filter((name) => name.startsWith('LOG'))
    const files = diaries.filter((name) => statSync(join(directory, name)).isFile())
    expect([diaries.length > 0, files]).toEqual([true, []])
  }
})

test('it keeps none of its first moments either, with many opened at once', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'holdfast-diaries-'))
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }))
  const directories = Array.from({ length: 40 }, (_, at) => join(parent, String(at)))
  const opened = await Promise.all(directories.map((directory) => openLevel(directory)))
  await Promise.all(opened.map((database) => database.close()))
  expect(directories.filter((directory) => !statSync(join(directory, 'LOG')).isDirectory())).toEqual([])
})

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startEmbedded } from '../../src/host/start-node.ts'

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-embedded-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test('a start that failed holds nothing: the same process starts once the cause is gone', async () => {
  const dataDirectory = directory()
  await (await startEmbedded({ dataDirectory })).close()
  const segment = join(dataDirectory, 'group-0/log/00000001.wal')
  const whole = readFileSync(segment)
  writeFileSync(segment, Buffer.alloc(whole.length, 1))
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    await expect(startEmbedded({ dataDirectory })).rejects.toMatchObject({ code: 'LOG_ROT' })
  }
  writeFileSync(segment, whole)
  await (await startEmbedded({ dataDirectory })).close()
})

test('a node whose log is gone does not start under the instance id that voted', async () => {
  const dataDirectory = directory()
  await (await startEmbedded({ dataDirectory })).close()
  rmSync(join(dataDirectory, 'group-0'), { recursive: true })
  await expect(startEmbedded({ dataDirectory })).rejects.toMatchObject({ code: 'LOG_ROT' })
})

test('limits that no entry could hold are refused at the start, before anything is made', async () => {
  const dataDirectory = join(directory(), 'data')
  const limits = { commandBytesMax: 16 * 1024 * 1024 }
  await expect(startEmbedded({ dataDirectory, limits })).rejects.toThrow(/commandBytesMax/)
  expect(() => readFileSync(dataDirectory)).toThrow(/ENOENT/)
})

import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, openSync, read, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { LINES_WAITING_MAX, LineWriter } from '../../../src/server/log/line-writer.ts'
import { temporaryDirectory } from '../../../src/storage/disk/temporary-directory.ts'

const readPiece = promisify(read)

async function scratch(): Promise<string> {
  const { path } = await temporaryDirectory()
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}

function opened(path: string, flags: string): number {
  const fd = openSync(path, flags)
  onTestFinished(() => closeSync(fd))
  return fd
}

const line = (number: number): string => `${JSON.stringify({ number, filler: 'x'.repeat(1000) })}\n`
const numbersIn = (text: string): number[] =>
  text
    .split('\n')
    .filter((found) => found !== '')
    .map((found) => JSON.parse(found).number)
const rising = (count: number): number[] => Array.from({ length: count }, (_, at) => at)

describe('lines to a descriptor', () => {
  test('arrive whole and in order', async () => {
    const path = join(await scratch(), 'lines')
    const writer = new LineWriter(opened(path, 'w'))
    for (const number of rising(100)) writer.write(line(number))
    await vi.waitFor(() => expect(numbersIn(readFileSync(path, 'utf8'))).toEqual(rising(100)))
    expect(writer.dropped).toBe(0)
  })

  test('that wait are there when flush returns', async () => {
    const path = join(await scratch(), 'lines')
    const writer = new LineWriter(opened(path, 'w'))
    for (const number of rising(50)) writer.write(line(number))
    writer.flush()
    // The first one was under way already; all others wait for nobody.
    expect(numbersIn(readFileSync(path, 'utf8'))).toEqual(expect.arrayContaining(rising(50).slice(1)))
    await vi.waitFor(() => expect(numbersIn(readFileSync(path, 'utf8'))).toHaveLength(50))
  })

  test.skipIf(!existsSync('/dev/full'))('without space are dropped, and nothing throws', async () => {
    const writer = new LineWriter(opened('/dev/full', 'w'))
    for (const number of rising(10)) writer.write(line(number))
    writer.flush()
    await vi.waitFor(() => expect(writer.dropped).toBe(10))
  })

  test.skipIf(process.platform === 'win32')('nobody reads hold nobody up, and what waits is bounded', async () => {
    const path = join(await scratch(), 'pipe')
    execFileSync('mkfifo', [path])
    // Open for both directions, so that opening waits for no other end.
    const fd = opened(path, 'r+')
    const writer = new LineWriter(fd)
    const said = 1000
    for (const number of rising(said)) writer.write(line(number))
    expect(writer.dropped).toBeGreaterThan(said - LINES_WAITING_MAX / 1000)
    // Once somebody reads, what was kept comes whole and in order.
    const kept = said - writer.dropped
    let text = ''
    const piece = Buffer.alloc(1 << 16)
    while (numbersIn(text.slice(0, text.lastIndexOf('\n') + 1)).length < kept) {
      const { bytesRead } = await readPiece(fd, piece, 0, piece.length, null)
      text += piece.toString('utf8', 0, bytesRead)
    }
    expect(numbersIn(text)).toEqual(rising(kept))
  })
})

import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { CommandError, EXIT } from '../../../src/cli/terminal/exit.ts'
import { checkTraces } from '../../../src/cli/traces/trace-check.ts'
import { type NodeId, nodeId } from '../../../src/base/brand.ts'
import { StartError } from '../../../src/host/start-error.ts'
import { startEmbedded } from '../../../src/host/start-node.ts'
import { traceFile } from '../../../src/server/log/trace-file.ts'
import { runTracedSeed } from '../../../src/sim/run-seed.ts'
import type { TraceLine } from '../../../src/trace/line.ts'

let folder = ''
const lines: TraceLine[] = []
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-trace-'))
  expect(runTracedSeed(4, (line) => lines.push(line)).failure).toBeNull()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Files that are open, by path. */
const files = new Map<string, (line: TraceLine) => void>()

function traceOf(directory: string, node: NodeId): (line: TraceLine) => void {
  const path = join(directory, node)
  const file = files.get(path) ?? traceFile(directory, node, () => undefined)
  files.set(path, file)
  return file
}

/** A directory with these lines, as nodes write them; its path. */
function written(name: string, of: readonly TraceLine[]): string {
  const directory = join(folder, name)
  for (const line of of) traceOf(directory, nodeId(line.node))(line)
  return directory
}

/** What a check prints, as one text. */
function printed(directory: string, json = false): { code: number; out: string } {
  const out: string[] = []
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation((text) => out.push(String(text)) > 0),
  )
  try {
    return { code: checkTraces({ directory, json }), out: out.join('') }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

test('steps that are allowed are counted, and one that is not is named by its node, line and rule', () => {
  const good = printed(written('good', lines))
  expect(good.out).toMatch(/^allowed {2}[\d,]+ steps of \d nodes, \d+ terms with a leader, [\d,]+ entries committed\n$/)
  expect(good.code).toBe(EXIT.ok)
  expect(JSON.parse(printed(join(folder, 'good'), true).out)).toMatchObject({ lines: lines.length, violation: null })
  const at = lines.findIndex((line) => line.kind === 'step' && line.state.role === 'candidate')
  const line = lines[at]
  if (line?.kind !== 'step') throw new Error('the seed has no candidate')
  const wrong = lines.with(at, { ...line, state: { ...line.state, role: 'leader' } })
  const bad = printed(written('bad', wrong))
  expect(bad.code).toBe(EXIT.failure)
  expect(bad.out).toContain(`of ${line.node}, after`)
  expect(bad.out).toMatch(/BecomeLeader: a majority has voted \(paper §5\.2; thesis §4\.3\): n\d in term \d+/)
})

test('a line that a process was killed over is left out, at the end and before the next process began', () => {
  const directory = join(folder, 'cut')
  const again = lines.findLast((line) => line.kind === 'opened')
  const at = again === undefined ? 0 : lines.lastIndexOf(again)
  const node = nodeId(again?.node ?? '')
  for (const line of lines.slice(0, at)) if (line.node === node) traceOf(directory, node)(line)
  // Killed within a line; then the next process opens the file, and is killed within one as well.
  appendFileSync(join(directory, `${node}.trace`), '{"kind":"step","nod')
  files.clear()
  for (const line of lines.slice(at)) if (line.node === node) traceOf(directory, node)(line)
  appendFileSync(join(directory, `${node}.trace`), '{"kind":"written"')
  for (const line of lines) if (line.node !== node) traceOf(directory, nodeId(line.node))(line)
  expect(JSON.parse(printed(directory, true).out)).toMatchObject({ lines: lines.length, violation: null })
})

test('what is no trace is refused with its line, and a directory without one by its name', () => {
  const directory = join(folder, 'other')
  mkdirSync(directory)
  expect(() => checkTraces({ directory, json: false })).toThrow(/holds no file that ends with \.trace/)
  writeFileSync(join(directory, 'n1.trace'), '{"kind":"written","node":"n1","write":-1}\n')
  expect(() => checkTraces({ directory, json: false })).toThrow(/n1\.trace, line 1, is no step of a trace \(write\)/)
  writeFileSync(join(directory, 'n1.trace'), 'not JSON\n{"kind":"written","node":"n1","write":1}\n')
  expect(() => checkTraces({ directory, json: false })).toThrow(/n1\.trace, line 1, is no step of a trace\./)
  expect(() => checkTraces({ directory: join(folder, 'none'), json: false })).toThrow(CommandError)
})

test('a directory that cannot be written stops the start, by the name of the option', async () => {
  writeFileSync(join(folder, 'file'), '')
  const start = startEmbedded({
    dataDirectory: join(folder, 'data'),
    listen: '127.0.0.1:0',
    traceSteps: join(folder, 'file'),
  })
  await expect(start).rejects.toThrow(/^options\.traceSteps cannot be written: /)
  await expect(start).rejects.toBeInstanceOf(StartError)
})

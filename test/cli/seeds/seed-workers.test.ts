import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { SeedWorkers } from '../../../src/cli/seeds/seed-workers.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-threads-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A thread that does that with each seed. */
function thread(name: string, statement: string): string {
  const path = join(folder, `${name}.mjs`)
  writeFileSync(
    path,
    `import { parentPort } from 'node:worker_threads'\nparentPort.on('message', ({ seed }) => { ${statement} })\n`,
  )
  return path
}

const RANGE = { workload: 'w', first: 7, count: 1 }

test('a thread that ends in the middle of a seed ends the run, with the seed', { timeout: 60_000 }, async () => {
  for (const [statement, words] of [
    ['process.exit(3)', 'seed 7 of w: its thread ended with 3'],
    ["throw new Error('oh')", 'seed 7 of w: Error: oh'],
  ] as const) {
    const workers = new SeedWorkers(1, { path: thread(`ends-${statement.length}`, statement) })
    await expect(workers.run(RANGE, () => undefined)).rejects.toThrow(words)
    await workers.close()
  }
})

test('a seed that takes long is told, once', { timeout: 60_000 }, async () => {
  const told: string[] = []
  let heard = (): void => undefined
  const first = new Promise<void>((resolve) => {
    heard = resolve
  })
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    heard()
    return told.push(String(text)) > 0
  })
  const workers = new SeedWorkers(1, { path: thread('silent', ''), slowMs: 1 })
  try {
    void workers.run(RANGE, () => undefined)
    await first
    expect(told).toEqual(['seed 7 of w has run for 0.001 s\n'])
  } finally {
    await workers.close()
    spy.mockRestore()
  }
})

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runScript } from './script.ts'

const FOLDER = join(import.meta.dirname, 'scripts')
const names = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'))

test('there are scripts to run', () => {
  expect(names.length).toBeGreaterThanOrEqual(60)
})

/** `UPDATE_SCRIPTS=1` rewrites the transcripts; what changed is then reviewed like code. */
for (const name of names) {
  test(`the golden script ${name} gives its transcript`, () => {
    const path = join(FOLDER, name)
    const before = readFileSync(path, 'utf8')
    const after = runScript(before)
    if (process.env['UPDATE_SCRIPTS'] === '1') writeFileSync(path, after)
    else expect(after).toBe(before)
  })
}

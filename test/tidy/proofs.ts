import { testNamesIn } from './requirements.ts'
import { sourcesBelow } from './tree.ts'

/** How a page names a test that proves a sentence: by file and name. */
const PROOF = /^\[([^\]]+)\]\(\.\.\/test\/([^)]+)\.test\.ts\): (.+)$/

const names = new Map<string, ReadonlySet<string>>()
for (const [path, source] of sourcesBelow('test'))
  if (path.endsWith('.test.ts')) names.set(path.replace(/\.test\.ts$/, ''), new Set(testNamesIn(source)))

/** What is wrong with a proof; null: there is such a test. */
export function wrongWith(proof: string): string | null {
  const [, shown, path = '', name = ''] = PROOF.exec(proof) ?? []
  if (shown === undefined || shown !== path) return `${proof} names no file`
  const found = names.get(path)
  if (found === undefined) return `there is no ${path}`
  return found.has(name) ? null : `${path} has no test “${name}”`
}

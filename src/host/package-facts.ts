import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What this package says of itself, and where it lies. */
export interface PackageFacts {
  readonly root: string
  readonly version: string
}

/** Finds the package's own directory: the nearest one above this file whose package.json is Holdfast's. */
export function packageFacts(): PackageFacts {
  let directory = dirname(fileURLToPath(import.meta.url))
  for (;;) {
    const version = versionIn(directory)
    if (version !== null) return { root: directory, version }
    const parent = dirname(directory)
    if (parent === directory) throw new Error('the package.json of holdfast is missing: install the package again')
    directory = parent
  }
}

function versionIn(directory: string): string | null {
  let parsed: unknown
  try {
    parsed = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  } catch {
    return null
  }
  if (typeof parsed !== 'object' || parsed === null || !('name' in parsed) || !('version' in parsed)) return null
  return parsed.name === 'holdfast' && typeof parsed.version === 'string' ? parsed.version : null
}

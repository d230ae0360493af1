import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** What a planted bug, and what looks for it, may depend on; the rows themselves come beside it. */
const DEPENDED_ON = {
  simulator: ['src', 'package.json'],
  benchmark: ['src', 'bench', 'proto', 'package.json'],
  tests: ['src', 'bench', 'proto', 'test', 'examples', 'templates', 'docs', 'package.json'],
} as const

/** Rows are in the key of each result: a new one must not make all others run again. */
const NOT_DEPENDED_ON = join('test', 'mutants')

/**
 * Results of earlier runs, in a file: each holds for the row that it is of and the sources that it was found with, byte for
 * byte, so that a run that was stopped goes on where it was, and a change makes only what may depend on it run again.
 */
export class KeptResults<Result> {
  private readonly root: string
  private readonly path: string
  private readonly results: Map<string, Result>
  private readonly sources = new Map<string, string>()

  /** `path`: of the file; it need not be there. A damaged one is taken for none. */
  constructor(root: string, path: string) {
    this.root = root
    this.path = path
    this.results = new Map(Object.entries(read(path) as { readonly [key: string]: Result }))
  }

  get(row: object, kind: keyof typeof DEPENDED_ON): Result | null {
    return this.results.get(this.key(row, kind)) ?? null
  }

  /** Keeps it at once: the run may be stopped at any time. */
  keep(row: object, kind: keyof typeof DEPENDED_ON, result: Result): void {
    this.results.set(this.key(row, kind), result)
    mkdirSync(dirname(this.path), { recursive: true })
    writeFileSync(this.path, JSON.stringify(Object.fromEntries(this.results)))
  }

  private key(row: object, kind: keyof typeof DEPENDED_ON): string {
    const sources = this.sources.get(kind) ?? hashOf(this.root, DEPENDED_ON[kind])
    this.sources.set(kind, sources)
    return createHash('sha256').update(sources).update(JSON.stringify(row)).digest('hex').slice(0, 32)
  }
}

function read(path: string): object {
  if (!existsSync(path)) return {}
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as object
  } catch {
    return {}
  }
}

/** Of the names and contents of all files there. */
function hashOf(root: string, names: readonly string[]): string {
  const hash = createHash('sha256')
  const add = (name: string): void => {
    if (name === NOT_DEPENDED_ON || name.endsWith('node_modules') || !existsSync(join(root, name))) return
    const entries = readdirOrNull(join(root, name))
    if (entries !== null) for (const entry of entries) add(join(name, entry))
    else hash.update(`${name}\0`).update(readFileSync(join(root, name)))
  }
  for (const name of names) add(name)
  return hash.digest('hex')
}

function readdirOrNull(path: string): readonly string[] | null {
  try {
    return readdirSync(path).sort()
  } catch {
    return null
  }
}

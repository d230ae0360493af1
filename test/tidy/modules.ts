import { posix } from 'node:path'
import { closing } from './casts.ts'
import { importsOf } from './imports.ts'
import type { Sources } from './rules.ts'
import { type Token, tokenize } from './tokens.ts'

/** Groups of files that import one another in a circle, types included: each as `a.ts b.ts`, sorted. */
export function importCircles(sources: Sources): string[] {
  const targets = new Map([...sources].map(([path, source]) => [path, targetsOf(sources, path, source)]))
  return new Components(targets)
    .find()
    .filter((group) => group.length > 1)
    .map((group) => group.sort().join(' '))
    .sort()
}

function targetsOf(sources: Sources, path: string, source: string): string[] {
  return importsOf(source)
    .filter((entry) => entry.specifier.startsWith('.') && !entry.dynamic)
    .map((entry) => posix.join(posix.dirname(path), entry.specifier))
    .filter((target) => target !== path && sources.has(target))
}

/** Tarjan's strongly connected components. */
class Components {
  private readonly targets: ReadonlyMap<string, readonly string[]>
  private readonly order = new Map<string, number>()
  private readonly lowest = new Map<string, number>()
  private readonly stack: string[] = []
  private readonly found: string[][] = []

  constructor(targets: ReadonlyMap<string, readonly string[]>) {
    this.targets = targets
  }

  find(): string[][] {
    for (const path of this.targets.keys()) if (!this.order.has(path)) this.visit(path)
    return this.found
  }

  private visit(path: string): void {
    const number = this.order.size
    this.order.set(path, number)
    this.lowest.set(path, number)
    this.stack.push(path)
    for (const target of this.targets.get(path) ?? []) {
      if (!this.order.has(target)) this.visit(target)
      if (this.stack.includes(target)) this.lower(path, this.lowest.get(target) ?? number)
    }
    if (this.lowest.get(path) === number) this.found.push(this.stack.splice(this.stack.indexOf(path)))
  }

  private lower(path: string, to: number): void {
    this.lowest.set(path, Math.min(this.lowest.get(path) ?? to, to))
  }
}

/** `import('…')` that nothing awaits: as a type it would be an import that no rule about circles and folders sees. */
export function importTypes(path: string, source: string): string[] {
  const tokens = tokenize(source).filter((token) => token.kind !== 'comment')
  return tokens.flatMap((token, at) => {
    if (token.kind !== 'word' || token.text !== 'import' || tokens[at + 1]?.text !== '(') return []
    if (tokens[at - 1]?.text === 'await' || tokens[at - 1]?.text === '.') return []
    return [`${path}:${token.line} says import('…') without await: import the type by its name`]
  })
}

const DECLARES = /^(?:async )?(?:abstract )?(?:const|let|function\*?|class|interface|type) \w+/

/** Exports that `unusedExports` cannot read: lists of the file's own names, defaults, patterns, namespaces and the like. */
export function hiddenExports(path: string, source: string): string[] {
  const tokens = tokenize(source).filter((token) => token.kind !== 'comment')
  return tokens.flatMap((token, at) => {
    if (token.kind !== 'word' || token.text !== 'export' || tokens[at - 1]?.text === '.') return []
    if (tokens[at + 1]?.text === ':' || tokens[at + 1]?.text === '(') return []
    const phrase = tokens.slice(at + 1, at + 5).map(({ text }) => text)
    if (DECLARES.test(phrase.join(' ').replace('function *', 'function*')) || reexports(tokens, at)) return []
    return [`${path}:${token.line} exports ${phrase[0]} …: write export before the declaration`]
  })
}

/** `export * from '…'`, `export * as a from '…'` or `export { a, b as c } from '…'`. */
function reexports(tokens: readonly Token[], at: number): boolean {
  const start = tokens[at + 1]?.text === 'type' ? at + 2 : at + 1
  if (tokens[start]?.text === '*') return true
  return tokens[start]?.text === '{' && tokens[closing(tokens, start) + 1]?.text === 'from'
}

const EXPORTED = /^export (?:async )?(?:abstract )?(const|let|function\*?|class|interface|type) (\w+)/gm

/**
 * Exports of the product that no other file of it uses. Of values: every one; of types, which may be exported because a
 * signature speaks of them: those that their own file does not use either. What a door exports counts as used.
 */
export function unusedExports(sources: Sources, others: Sources, doors: readonly string[]): string[] {
  const words = new Map([...sources, ...others].map(([path, source]) => [path, wordCounts(source)]))
  const found: string[] = []
  for (const [path, source] of sources) {
    if (doors.includes(path)) continue
    for (const [, kind, name = ''] of source.matchAll(EXPORTED)) {
      const users = [...words].filter(([other, counts]) => other !== path && counts.has(name)).map(([other]) => other)
      const own = (words.get(path)?.get(name) ?? 0) > 1
      const problem = exportProblem({ type: kind === 'interface' || kind === 'type', own, users, others })
      if (problem !== null) found.push(`${path} exports ${name}, which ${problem}`)
    }
  }
  return found
}

/** Doors into src/, as paths below it: the sources of what package.json exports and runs. */
export function doorsOf(packageJson: string): string[] {
  return [
    ...new Set(
      [...packageJson.matchAll(/"(?:\.\/)?dist\/src\/([^"]+?)(?:\.d\.ts|\.js)"/g)].map(([, path = '']) => `${path}.ts`),
    ),
  ]
}

const REEXPORTED = /^export (?:type )?\{([^}]*)\} from '(\.[^']+)'/gm

/** Names that a barrel hands on and that nobody takes from it; what a door hands on, itself or as a whole, counts as taken. */
export function unusedReexports(sources: Sources, others: Sources, doors: readonly string[]): string[] {
  const open = withBarrelsOf(sources, doors)
  const all = [...sources, ...others].map(([path, source]) => [path, importsOf(source)] as const)
  const takes = (barrel: string, name: string): boolean =>
    all.some(([path, entries]) =>
      entries.some(
        ({ specifier, names }) =>
          posix.join(posix.dirname(path), specifier) === barrel && (names.includes(name) || names.includes('*')),
      ),
    )
  return [...sources].flatMap(([path, source]) => {
    if (open.has(path)) return []
    const names = [...source.matchAll(REEXPORTED)].flatMap(([, list = '']) => list.split(',').map(nameOf))
    return names
      .filter((name) => name !== '' && !takes(path, name))
      .map((name) => `${path} hands on ${name}, for nobody`)
  })
}

/** `b` of `type a as b`. */
function nameOf(item: string): string {
  return /(\w+)\s*$/.exec(item)?.[1] ?? ''
}

/** Doors, and the barrels that they hand on with `export *`. */
function withBarrelsOf(sources: Sources, doors: readonly string[]): ReadonlySet<string> {
  const open = new Set(doors)
  for (const path of open) {
    for (const [, specifier = ''] of (sources.get(path) ?? '').matchAll(/^export \* from '(\.[^']+)'/gm)) {
      open.add(posix.join(posix.dirname(path), specifier))
    }
  }
  return open
}

interface Exported {
  readonly type: boolean
  /** Its own file uses it. */
  readonly own: boolean
  readonly users: readonly string[]
  /** Files of tests and the like, whose use alone does not count. */
  readonly others: Sources
}

function exportProblem({ type, own, users, others }: Exported): string | null {
  if (users.some((path) => !others.has(path))) return null
  if (type) return own ? null : 'nothing uses'
  if (users.length === 0) return 'no other file uses'
  return own ? null : 'only tests use'
}

function wordCounts(source: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const token of tokenize(source)) {
    if (token.kind === 'word') counts.set(token.text, (counts.get(token.text) ?? 0) + 1)
  }
  return counts
}

import { type Import, importsOf } from './imports.ts'
import { resolve, type Sources } from './rules.ts'
import { IMPURE_GLOBALS, SIMULATOR_EXCEPTIONS, TABLE } from './table.ts'
import { type Token, tokenize } from './tokens.ts'

/** Clocks, randomness, input, output and asynchrony in folders that must be pure. */
export function purityViolations(sources: Sources): string[] {
  const found: string[] = []
  for (const [path, source] of sources) {
    if (TABLE[path.split('/')[0] ?? '']?.pure !== true) continue
    for (const { line, problem } of impurities(source)) found.push(`${path}:${line} ${problem}`)
  }
  return found
}

interface Impurity {
  readonly line: number
  /** `uses Date`. */
  readonly problem: string
}

function impurities(source: string): Impurity[] {
  const tokens = tokenize(source).filter((token) => token.kind !== 'comment')
  return tokens.flatMap((token, at) => {
    const problem = impurity(tokens, at)
    return problem === null ? [] : [{ line: token.line, problem }]
  })
}

function impurity(tokens: readonly Token[], at: number): string | null {
  const token = tokens[at]
  const [before, after] = [tokens[at - 1], tokens[at + 1]]
  if (token?.kind !== 'word') return null
  if (token.text === 'Math' && after?.text === '.' && tokens[at + 2]?.text === 'random') return 'uses Math.random'
  if (before?.text === '.' || before?.text === '?.') return null
  // Asking for the kind of a value reads no clock.
  if (before?.text === 'instanceof') return null
  if (token.text === 'async' || token.text === 'await') return isKey(token, before, after) ? null : `uses ${token.text}`
  if (token.text === 'Promise') return 'uses Promise'
  return IMPURE_GLOBALS.includes(token.text) && !isKey(token, before, after) ? `uses ${token.text}` : null
}

/** `{ process: …`, `readonly process:`, `process?:`, `get process(` and `private await(` are names of the file's own. */
function isKey({ line }: Token, before: Token | undefined, after: Token | undefined): boolean {
  if (after?.text === '(') return ['private', 'static', 'get', 'set'].includes(before?.text ?? '')
  if (after?.text !== ':' && after?.text !== '?') return false
  return before === undefined || ['{', ',', ';', 'readonly', '('].includes(before.text) || before.line < line
}

/**
 * What the simulator must not reach at run time, through all that it imports of the product: packages that do more than
 * compute, clocks, randomness and asynchrony of the platform's. Each with the imports that lead there.
 */
export function simulatorImpurities(sources: Sources): string[] {
  const unused = new Set(SIMULATOR_EXCEPTIONS)
  const found: string[] = []
  for (const [path, way] of reachedBy(sources, 'sim/')) {
    const source = sources.get(path) ?? ''
    const packages = importsOf(source).filter((entry) => isPackage(entry) && !isPure(entry))
    const problems = packages.map(({ line, specifier }) => ({ line, problem: `imports ${specifier}` }))
    for (const { line, problem } of [...problems, ...impurities(source)]) {
      const excuse = SIMULATOR_EXCEPTIONS.find((known) => known.file === path && known.problem === problem)
      // One exception is one place: a second use in the file is found.
      if (excuse !== undefined && unused.delete(excuse)) continue
      found.push(`${path}:${line} ${problem}, and the simulator reaches it: ${way}`)
    }
  }
  const stale = [...unused].filter(({ file }) => sources.has(file))
  return [...found, ...stale.map(({ file, problem }) => `${file} is excepted for what it no longer does: ${problem}`)]
}

/** Files that those of a folder reach at run time, with the first way there, e.g. `sim/run-seed.ts > base/random.ts`. */
function reachedBy(sources: Sources, folder: string): ReadonlyMap<string, string> {
  const ways = new Map([...sources.keys()].filter((path) => path.startsWith(folder)).map((path) => [path, path]))
  for (const [path, way] of ways) {
    for (const entry of importsOf(sources.get(path) ?? '')) {
      if (entry.typeOnly || isPackage(entry)) continue
      const target = resolve(path, entry.specifier)
      if (!ways.has(target)) ways.set(target, `${way} > ${target}`)
    }
  }
  return ways
}

function isPackage({ specifier }: Import): boolean {
  return !specifier.startsWith('.')
}

/**
 * Packages that compute and nothing else (one of them from the zone rules of the process), what is left of types, and the
 * pure functions that the codec takes of Node.
 */
function isPure({ specifier, names, typeOnly }: Import): boolean {
  const allowed = TABLE['codec']?.names?.[specifier]
  if (allowed !== undefined) return names.every((name) => allowed.includes(name))
  return typeOnly || ['zod', 'xstate', 'temporal-polyfill'].includes(specifier)
}

import { posix } from 'node:path'
import { type Import, importsOf } from './imports.ts'
import { COMPOSITION_ROOTS, type FolderRule, TABLE } from './table.ts'
import { type Token, tokenize } from './tokens.ts'

/** Source texts by their path below src/, e.g. `raft/step.ts`. */
export type Sources = ReadonlyMap<string, string>

export const LINES_MAX = 400
export const FUNCTION_LINES_MAX = 70

/** Every import that the table does not allow, as `path:line sentence`. */
export function importViolations(sources: Sources): string[] {
  const found: string[] = []
  for (const [path, source] of sources) {
    if (COMPOSITION_ROOTS.includes(path)) continue
    const folder = path.split('/')[0] ?? ''
    const rule = TABLE[folder]
    if (rule === undefined) found.push(`${path}:1 stands in no folder of the table`)
    else {
      for (const entry of importsOf(source)) {
        const problem = importProblem(sources, { path, folder, rule, entry })
        if (problem !== null) found.push(`${path}:${entry.line} ${problem}`)
      }
    }
  }
  return found
}

interface Question {
  readonly path: string
  readonly folder: string
  readonly rule: FolderRule
  readonly entry: Import
}

function importProblem(sources: Sources, question: Question): string | null {
  const { path, entry, rule } = question
  if (!entry.specifier.startsWith('.')) return packageProblem(question)
  if (!entry.specifier.endsWith('.ts')) return `imports ${entry.specifier} without .ts`
  const target = resolve(path, entry.specifier)
  if (!sources.has(target)) return `imports ${entry.specifier}, which is not a file of src/`
  if (rule.dynamic?.includes(target)) return entry.dynamic || entry.typeOnly ? null : `must load ${target} dynamically`
  return folderProblem(question, target)
}

function folderProblem({ path, folder, rule, entry }: Question, target: string): string | null {
  const other = target.split('/')[0] ?? ''
  if (other === folder) return null
  const room = rule.rooms?.find((name) => target === name || target.startsWith(`${name}/`))
  if (room !== undefined) return entry.typeOnly || room === target ? null : `may import types alone from ${room}/`
  if (rule.types?.includes(other)) return entry.typeOnly ? null : `may import types alone from ${other}/`
  if (!rule.folders.includes(other)) return `may not import ${target}`
  const place = rule.onlyIn?.[other] ?? path
  if (place !== path) return `may not import ${target}: only ${place} may`
  return null
}

function packageProblem({ path, rule, entry }: Question): string | null {
  const names = rule.names?.[entry.specifier]
  if (names !== undefined) {
    const excess = entry.names.filter((name) => !names.includes(name))
    return excess.length === 0 ? null : `may take only ${names.join(', ')} from ${entry.specifier}`
  }
  const allowed = rule.packages.find((name) => covers(name, entry.specifier))
  if (allowed === undefined) return `may not import the package ${entry.specifier}`
  const place = rule.onlyIn?.[allowed]
  return place === undefined || place === path ? null : `may not import ${entry.specifier}: only ${place} may`
}

function covers(allowed: string, specifier: string): boolean {
  if (allowed.endsWith('*')) return specifier.startsWith(allowed.slice(0, -1))
  return specifier === allowed || specifier.startsWith(`${allowed}/`)
}

export function resolve(from: string, specifier: string): string {
  return posix.join(posix.dirname(from), specifier)
}

/** Ways round the type system and notes to do later, anywhere. */
export function escapeViolations(path: string, source: string): string[] {
  const found: string[] = []
  const tokens = tokenize(source)
  const code = tokens.filter((token) => token.kind !== 'comment')
  for (const token of tokens) {
    const mark = token.kind === 'comment' ? markIn(token.text) : null
    if (mark !== null) found.push(`${path}:${token.line} has ${mark} in a comment`)
  }
  code.forEach((token, at) => {
    if (isAnyType(code, at)) found.push(`${path}:${token.line} uses any`)
    if (isNonNull(code, at)) found.push(`${path}:${token.line} uses ! to deny null`)
    if (token.text === 'enum' && code[at + 2]?.text === '{') found.push(`${path}:${token.line} declares an enum`)
  })
  return found
}

// Written in two parts, so that this file does not find itself.
const MARKS = ['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', '@ts' + '-ignore', '@ts' + '-expect-error', '@ts' + '-nocheck']
MARKS.push('biome' + '-ignore', 'eslint' + '-disable')

function markIn(comment: string): string | null {
  return MARKS.find((mark) => new RegExp(`(?<!\\w)${mark}(?!\\w)`).test(comment)) ?? null
}

function isAnyType(code: readonly Token[], at: number): boolean {
  if (code[at]?.text !== 'any' || code[at]?.kind !== 'word') return false
  const [before, after] = [code[at - 1]?.text ?? '', code[at + 1]?.text]
  if (before === ',') return after === '>'
  return [':', '<', '|', '&', 'as', '=>'].includes(before) && after !== ':' && after !== '.'
}

const BEFORE_EXPRESSION =
  /^(?:return|typeof|case|in|of|await|yield|else|do|delete|void|throw|instanceof|if|while|and|is)$/

function isNonNull(code: readonly Token[], at: number): boolean {
  const token = code[at]
  const before = code[at - 1]
  if (token?.kind !== 'punctuation' || token.text !== '!' || before === undefined) return false
  if (before.kind === 'word') return !BEFORE_EXPRESSION.test(before.text) && before.line === token.line
  return (before.text === ')' || before.text === ']') && before.line === token.line && code[at + 1]?.kind !== 'word'
}

/** Files and functions that no longer fit. */
export function sizeViolations(path: string, source: string): string[] {
  const lines = source.split('\n')
  const found: string[] = []
  if (lines.length - 1 > LINES_MAX) found.push(`${path} has ${lines.length - 1} lines, the wall is ${LINES_MAX}`)
  for (const { line, length } of functionsOf(lines)) {
    if (length > FUNCTION_LINES_MAX) {
      found.push(`${path}:${line} is a function of ${length} lines, the wall is ${FUNCTION_LINES_MAX}`)
    }
  }
  return found
}

const OPENS_FUNCTION = /(?:=>|\)(?:\s*:\s*[^=]+)?)\s*\{$/
const OPENS_OTHER = /^\s*\}?\s*(?:if|for|while|switch|catch|else|do|with)\b/

/** Functions by indentation, which the formatter guarantees: from the line that opens the body to its closing brace. */
export function functionsOf(lines: readonly string[]): { line: number; length: number }[] {
  const found: { line: number; length: number }[] = []
  lines.forEach((text, at) => {
    if (!OPENS_FUNCTION.test(text) || OPENS_OTHER.test(text) || /^\s*(?:\*|\/\/)/.test(text)) return
    const indent = text.length - text.trimStart().length
    const from = text.trimStart().startsWith(')') ? headerOf(lines, at, indent) : at
    if (OPENS_OTHER.test(lines[from] ?? '')) return
    const end = lines.findIndex((line, index) => index > at && line.startsWith(`${' '.repeat(indent)}}`))
    if (end !== -1) found.push({ line: from + 1, length: end - from + 1 })
  })
  return found
}

function headerOf(lines: readonly string[], at: number, indent: number): number {
  for (let above = at - 1; above >= 0; above -= 1) {
    const line = lines[above] ?? ''
    if (line.trim() !== '' && line.length - line.trimStart().length === indent) return above
  }
  return at
}

/** Files that nothing reaches from the entry points. */
export function unreachable(sources: Sources, entries: readonly string[]): string[] {
  const seen = new Set<string>(entries.filter((path) => sources.has(path)))
  for (const path of seen) {
    for (const entry of importsOf(sources.get(path) ?? '')) {
      if (!entry.specifier.startsWith('.')) continue
      const target = resolve(path, entry.specifier)
      if (sources.has(target)) seen.add(target)
    }
  }
  return [...sources.keys()].filter((path) => !seen.has(path)).sort()
}

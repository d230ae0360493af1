import { type Token, tokenize } from './tokens.ts'

/** Casts to a type that speaks of a brand: they belong into base, where the value is checked, and into codecs. */
export function brandCasts(path: string, source: string, brands: readonly string[]): string[] {
  return casts(source).flatMap(({ line, type }) => {
    const brand = type.find((token, at) => brands.includes(token.text) && isType(type, at))
    return brand === undefined ? [] : [`${path}:${line} casts to ${brand.text}`]
  })
}

/** `as never` makes any value fit anywhere: what it silences, the type system should hear. */
export function neverCasts(path: string, source: string): string[] {
  const never = casts(source).filter(({ type }) => type[0]?.text === 'never')
  return never.map(({ line }) => `${path}:${line} casts to never`)
}

/** A word that is a type, and not the name of a field or parameter, nor a member of a namespace. */
function isType(type: readonly Token[], at: number): boolean {
  const [before, token, after] = [type[at - 1]?.text, type[at], type[at + 1]?.text]
  if (token?.kind !== 'word' || before === '.') return false
  const optional = after === '?' && type[at + 2]?.text === ':'
  return !(before !== '?' && after === ':') && !optional
}

interface Cast {
  readonly line: number
  readonly type: readonly Token[]
}

/** Every `as` of a source text with the tokens of its type; those of imports and exports, which rename, left out. */
function casts(source: string): Cast[] {
  const tokens = tokenize(source).filter((token) => token.kind !== 'comment')
  const found: Cast[] = []
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at]
    if (token?.kind !== 'word' || tokens[at - 1]?.text === '.') continue
    if (token.text === 'import' || token.text === 'export') at = clauseEnd(tokens, at)
    else if (token.text === 'as') found.push({ line: token.line, type: typeAt(tokens, at + 1) })
  }
  return found
}

/** Last position of the clause behind `import` or `export`, e.g. `type A, { b as c }`; the word itself when none follows. */
function clauseEnd(tokens: readonly Token[], start: number): number {
  const text = (at: number): string => tokens[at]?.text ?? ''
  let at = text(start + 1) === 'type' ? start + 2 : start + 1
  if (text(start) === 'export' && text(at) !== '{' && text(at) !== '*') return start
  if (text(at) === '(' || text(at) === '.') return start
  while (at < tokens.length && text(at) !== 'from' && tokens[at]?.kind !== 'string') {
    if (text(at) === '{') at = closing(tokens, at)
    // `export { a }` may end here.
    if (text(at) === '}' && text(at + 1) !== 'from') return at
    at += 1
  }
  return at
}

const PREFIX = ['readonly', 'keyof', 'typeof', 'unique', 'infer', 'new', 'asserts']
const JOINS = ['|', '&', '=>', '.']
const JOINS_ON_LINE = ['is', 'extends']

/**
 * The tokens of the type that begins at a position. A type goes on while an operand is missing, and behind one with a
 * joining word or mark; `[` and `<` belong to it when they stand on the operand's line.
 */
function typeAt(tokens: readonly Token[], start: number): Token[] {
  let at = start
  let missing = true
  let conditional = false
  for (; at < tokens.length; at += 1) {
    const token = tokens[at]
    const text = token?.text ?? ''
    const sameLine = tokens[at - 1]?.line === token?.line
    const opens = text === '(' || text === '{' || text === '[' || text === '<'
    if (opens) {
      if (!missing && !(sameLine && (text === '[' || text === '<'))) break
      // A list of type parameters, as of `<T>(a: T) => b`, stands before its operand.
      missing = missing && text === '<'
      at = closing(tokens, at)
    } else if (missing && PREFIX.includes(text)) continue
    else if (missing && token?.kind !== 'punctuation') missing = false
    else if (!missing && (JOINS.includes(text) || (sameLine && JOINS_ON_LINE.includes(text)))) {
      missing = true
      conditional ||= text === 'extends'
    } else if (conditional && (text === '?' || text === ':')) missing = true
    else if (!(missing && (text === '|' || text === '&' || text === '-') && tokens[at - 1]?.text !== text)) break
  }
  return tokens.slice(start, at)
}

const PAIRS: { readonly [open: string]: string } = { '(': ')', '{': '}', '[': ']', '<': '>' }

/** Position of the bracket that closes the one at `at`; the end when there is none. */
export function closing(tokens: readonly Token[], at: number): number {
  const open = tokens[at]?.text ?? ''
  let depth = 0
  for (let next = at; next < tokens.length; next += 1) {
    if (tokens[next]?.kind !== 'punctuation') continue
    if (tokens[next]?.text === open) depth += 1
    else if (tokens[next]?.text === PAIRS[open]) depth -= 1
    if (depth === 0) return next
  }
  return tokens.length
}

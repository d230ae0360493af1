import { type Token, tokenize } from './tokens.ts'

/** Switches on `kind` that do not end in `unreachable`: a member added to the union would fall through unseen. */
export function openSwitches(path: string, source: string): string[] {
  const tokens = tokenize(source).filter((token) => token.kind !== 'comment')
  const found: string[] = []
  tokens.forEach((token, at) => {
    if (token.kind !== 'word' || token.text !== 'switch' || tokens[at + 1]?.text !== '(') return
    const close = closing(tokens, at + 1)
    if (tokens[close - 1]?.text !== 'kind') return
    const body = tokens.slice(close + 2, closing(tokens, close + 1))
    if (!endsUnreachable(body)) found.push(`${path}:${token.line} switches on kind and does not end in unreachable`)
  })
  return found
}

/** `default: return unreachable(…)`, the `return` optional, as the last clause of the switch itself. */
function endsUnreachable(body: readonly Token[]): boolean {
  const last = ownClauses(body).findLast(({ text }) => text === 'default' || text === 'case')
  if (last?.text !== 'default') return false
  const clause = body.slice(last.at + 2).map((token) => token.text)
  return clause[clause[0] === 'return' ? 1 : 0] === 'unreachable'
}

/** The words of a body that stand in no braces of its own, with their positions. */
function ownClauses(body: readonly Token[]): { text: string; at: number }[] {
  const found: { text: string; at: number }[] = []
  for (let at = 0; at < body.length; at += 1) {
    const token = body[at]
    if (token?.kind === 'punctuation' && token.text === '{') at = closing(body, at)
    else if (token?.kind === 'word') found.push({ text: token.text, at })
  }
  return found
}

const PAIRS: { readonly [open: string]: string } = { '(': ')', '{': '}' }

/** Position of the bracket that closes the one at `at`; the end when there is none. */
function closing(tokens: readonly Token[], at: number): number {
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

/** Casts to a brand: they belong into base, where the value is checked, and into codecs. */
export function brandCasts(path: string, source: string, brands: readonly string[]): string[] {
  const tokens = tokenize(source).filter((token) => token.kind !== 'comment')
  return tokens.flatMap((token, at) => {
    if (token.kind !== 'word' || token.text !== 'as' || !castsTo(tokens, at, brands)) return []
    return [`${path}:${token.line} casts to ${tokens[at + 1]?.text}`]
  })
}

/** `x as Term`, and not `import { a as Term }`, which stands before `,` or `}` of an import. */
function castsTo(tokens: readonly Token[], at: number, brands: readonly string[]): boolean {
  if (!brands.includes(tokens[at + 1]?.text ?? '')) return false
  const line = tokens[at]?.line
  return !tokens.some((token) => token.line === line && (token.text === 'import' || token.text === 'export'))
}

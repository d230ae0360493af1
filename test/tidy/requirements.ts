import { type Token, tokenize } from './tokens.ts'

/** `range('FR-', 1, 27, 3)`: FR-001 to FR-027. */
export function range(prefix: string, first: number, last: number, digits: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, at) => prefix + String(first + at).padStart(digits, '0'))
}

/** Requirement numbers in a text, in its order. */
export function requirementsIn(text: string): string[] {
  return text.match(/\b(?:FR|S|PC|INV|UPC|UPR|UINV|FM|LR|Q|P)-\d+\b/g) ?? []
}

/**
 * The names of the tests and groups of a source text: first arguments of test, it and describe, `.each` and the like
 * included.
 */
export function testNamesIn(source: string): string[] {
  const tokens = tokenize(source).filter((token) => token.kind !== 'comment')
  const names: string[] = []
  tokens.forEach((token, at) => {
    if (token.kind !== 'word' || !['test', 'it', 'describe'].includes(token.text) || tokens[at - 1]?.text === '.')
      return
    const name = nameAfter(tokens, at + 1)
    if (name !== null) names.push(name)
  })
  return names
}

/**
 * Skips `.each(…)`, `.each<…>(…)`, `.skipIf(…)` and `.concurrent`, and reads the name that the last pair of parentheses opens
 * with.
 */
function nameAfter(tokens: readonly Token[], start: number): string | null {
  let at = start
  while (at < tokens.length) {
    const token = tokens[at]
    if (token?.text === '.') at += 2
    else if (token?.text === '<') at = afterPair(tokens, at, '<', '>')
    else if (token?.text === '(') {
      const name = tokens[at + 1]
      const after = afterPair(tokens, at, '(', ')')
      if (tokens[after]?.text === '(') at = after
      else if (name?.kind === 'string') return name.text
      else return name?.kind === 'template' ? templateText(tokens, at + 1) : null
    } else return null
  }
  return null
}

/** The pieces of a template literal, and the words between, up to the comma that ends the argument. */
function templateText(tokens: readonly Token[], start: number): string {
  let text = ''
  for (let at = start; at < tokens.length && tokens[at]?.text !== ','; at += 1) text += tokens[at]?.text ?? ''
  return text
}

/** Behind the bracket that closes the one at `open`. */
function afterPair(tokens: readonly Token[], open: number, opens: string, closes: string): number {
  let depth = 0
  for (let at = open; at < tokens.length; at += 1) {
    const token = tokens[at]
    if (token?.kind !== 'punctuation') continue
    if (token.text === opens) depth += 1
    if (token.text === closes) depth -= 1
    if (depth === 0) return at + 1
  }
  return tokens.length
}

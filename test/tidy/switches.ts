import { closing } from './casts.ts'
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

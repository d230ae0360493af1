import { type Token, tokenize } from './tokens.ts'

/** One import or re-export of a module. */
export interface Import {
  readonly specifier: string
  /** Nothing of it is left at run time. */
  readonly typeOnly: boolean
  readonly dynamic: boolean
  /** Names taken from the module as it calls them; `*` for all of it; empty for side effects. */
  readonly names: readonly string[]
  readonly line: number
}

/** Every import, re-export, dynamic import and `import('…')` type of a source text. */
export function importsOf(source: string): Import[] {
  const tokens = tokenize(source).filter((token) => token.kind !== 'comment')
  const found: Import[] = []
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at]
    if (token?.kind !== 'word') continue
    if (token.text !== 'import' && token.text !== 'export') continue
    if (tokens[at - 1]?.text === '.') continue
    const entry = token.text === 'import' ? importAt(tokens, at) : exportAt(tokens, at)
    if (entry !== null) found.push(entry)
  }
  return found
}

function importAt(tokens: readonly Token[], at: number): Import | null {
  const next = tokens[at + 1]
  if (next === undefined || next.text === '.') return null
  if (next.text === '(') return dynamicAt(tokens, at)
  if (next.kind === 'string') return entry(next, false, [])
  return clauseAt(tokens, at + 1)
}

/** The type `import('x').Y` follows a colon or the like, but a dynamic import may too: both count as dynamic. */
function dynamicAt(tokens: readonly Token[], at: number): Import {
  const argument = tokens[at + 2]
  const line = tokens[at]?.line ?? 0
  if (argument?.kind !== 'string')
    return { specifier: '<computed>', typeOnly: false, dynamic: true, names: ['*'], line }
  return { specifier: argument.text, typeOnly: false, dynamic: true, names: ['*'], line }
}

function exportAt(tokens: readonly Token[], at: number): Import | null {
  const next = tokens[at + 1]
  const afterType = next?.text === 'type' ? tokens[at + 2] : next
  if (afterType?.text !== '{' && afterType?.text !== '*') return null
  return clauseAt(tokens, at + 1)
}

/** `type? (Default | * as N | { a, type b as c })* from 'specifier'`, starting at the first token of the clause. */
function clauseAt(tokens: readonly Token[], start: number): Import | null {
  const whole = tokens[start]?.text === 'type' && tokens[start + 1]?.text !== 'from' && tokens[start + 1]?.text !== ','
  const names: { name: string; type: boolean }[] = []
  let braces = false
  for (let at = whole ? start + 1 : start; at < tokens.length; at += 1) {
    const token = tokens[at]
    if (token === undefined) return null
    if (token.text === '{') braces = true
    else if (token.text === '}') braces = false
    else if (token.text === '*') names.push({ name: '*', type: false })
    else if (token.text === 'as') at += 1
    else if (token.text === 'from' && !braces) {
      const specifier = tokens[at + 1]
      if (specifier?.kind !== 'string') return null
      return entry(
        specifier,
        whole || (names.length > 0 && names.every((name) => name.type)),
        names.map((name) => name.name),
      )
    } else if (token.text === 'type' && braces && isName(tokens[at + 1])) {
      names.push({ name: tokens[at + 1]?.text ?? '', type: true })
      at += 1
    } else if (token.kind === 'word') names.push({ name: braces ? token.text : 'default', type: false })
    else if (token.text !== ',') return null
  }
  return null
}

function isName(token: Token | undefined): boolean {
  return token?.kind === 'word' && token.text !== 'as'
}

function entry(specifier: Token, typeOnly: boolean, names: readonly string[]): Import {
  return { specifier: specifier.text, typeOnly, dynamic: false, names, line: specifier.line }
}

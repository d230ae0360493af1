import { HistoryError } from '../history.ts'
import { type HistoryValue, Keyword } from './history-value.ts'

const SPACE = /(?:[\s,]|;[^\n]*|#_\s*(?=[^\s]))/y
const NUMBER = /[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?[NM]?(?![^\s,;()[\]{}"])/y
const SYMBOL = /[^\s,;()[\]{}"@^`~\\]+/y
const STRING_PART = /[^"\\]+/y
const CLOSERS: { readonly [opener: string]: string } = { '(': ')', '[': ']', '{': '}' }
const ESCAPES: { readonly [letter: string]: string } = {
  '"': '"',
  '\\': '\\',
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
}
/** More levels than that are no history, and would end the stack. */
const DEPTH_MAX = 100

/**
 * All values of a text of EDN, one after the other. Lists, vectors and sets are lists; a map is an object by the text of its
 * keywords, strings and numbers; a tag is passed over and its value read; `#_` passes over the value that follows. Throws
 * HistoryError with the line for what is no EDN, and for symbols, ratios and characters, which no history has.
 */
export function readEdn(text: string): readonly HistoryValue[] {
  return new EdnReader(text).all()
}

class EdnReader {
  private readonly text: string
  private at = 0
  private depth = 0

  constructor(text: string) {
    this.text = text
  }

  all(): readonly HistoryValue[] {
    const values: HistoryValue[] = []
    for (this.skip(); this.at < this.text.length; this.skip()) values.push(this.value())
    return values
  }

  private value(): HistoryValue {
    this.skip()
    const character = this.text[this.at]
    if (character === undefined) throw this.error('ends within a value')
    if (character === '"') return this.string()
    if (character === '#') return this.dispatched()
    const closer = CLOSERS[character]
    if (closer === undefined) return this.atom()
    this.at += 1
    const items = this.until(closer)
    return character === '{' ? this.mapOf(items) : items
  }

  private until(closer: string): HistoryValue[] {
    const items: HistoryValue[] = []
    this.depth += 1
    if (this.depth > DEPTH_MAX) throw this.error('is nested too deep')
    for (this.skip(); this.text[this.at] !== closer; this.skip()) items.push(this.value())
    this.at += 1
    this.depth -= 1
    return items
  }

  private dispatched(): HistoryValue {
    this.at += 1
    if (this.text[this.at] === '{') {
      this.at += 1
      return this.until('}')
    }
    this.taken(SYMBOL)
    return this.value()
  }

  private mapOf(items: readonly HistoryValue[]): HistoryValue {
    if (items.length % 2 === 1) throw this.error('has a map with a name and no value')
    const fields: [string, HistoryValue][] = []
    for (let at = 0; at < items.length; at += 2) fields.push([this.nameOf(items[at] ?? null), items[at + 1] ?? null])
    return Object.fromEntries(fields)
  }

  private nameOf(name: HistoryValue): string {
    if (name instanceof Keyword) return name.name
    if (typeof name === 'string' || typeof name === 'number') return String(name)
    throw this.error('has a map whose names are neither keywords nor strings nor numbers')
  }

  private string(): string {
    let read = ''
    this.at += 1
    for (;;) {
      read += this.taken(STRING_PART) ?? ''
      const character = this.text[this.at]
      if (character === undefined) throw this.error('ends within a string')
      this.at += 1
      if (character === '"') return read
      read += this.escaped()
    }
  }

  private escaped(): string {
    const letter = this.text[this.at] ?? ''
    this.at += 1
    if (letter !== 'u') {
      const character = ESCAPES[letter]
      if (character === undefined) throw this.error(`has the unknown escape \\${letter}`)
      return character
    }
    const digits = this.text.slice(this.at, this.at + 4)
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.error('has an escape \\u without four digits')
    this.at += 4
    return String.fromCharCode(Number.parseInt(digits, 16))
  }

  private atom(): HistoryValue {
    const number = this.taken(NUMBER)
    if (number !== null) return Number(number.replace(/[NM]$/, ''))
    const symbol = this.taken(SYMBOL)
    if (symbol === null) throw this.error(`has ${this.text[this.at]} where a value is to be`)
    if (symbol === 'nil') return null
    if (symbol === 'true' || symbol === 'false') return symbol === 'true'
    if (symbol.startsWith(':') && symbol.length > 1) return new Keyword(symbol.slice(1))
    throw this.error(`has ${symbol}, which is no value of a history`)
  }

  /** Spaces, commas, comments, and values that are marked as left out. */
  private skip(): void {
    for (let space = this.taken(SPACE); space !== null; space = this.taken(SPACE)) {
      if (space.startsWith('#_')) this.value()
    }
  }

  private taken(form: RegExp): string | null {
    form.lastIndex = this.at
    const found = form.exec(this.text)?.[0] ?? null
    this.at += found?.length ?? 0
    return found
  }

  private error(words: string): HistoryError {
    const line = this.text.slice(0, this.at).split('\n').length
    return new HistoryError(`line ${line}: the text ${words}`)
  }
}

import { HistoryError } from '../history.ts'
import { type HistoryValue, Keyword } from './history-value.ts'
import { ednOf } from './write-edn.ts'

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
/** Decimals of so many digits (`0.1M`) a number tells apart. */
const DIGITS_MAX = 15
/** More levels than that are no history, and would end the stack. */
const DEPTH_MAX = 100

/**
 * All values of a text of EDN, one after the other. Lists, vectors and sets are lists, sets in the order of their elements'
 * texts: equal sets are equal lists. A map is an object by the text of its keywords, strings and numbers; a tag is passed over
 * and its value read; `#_` passes over the value that follows. Throws HistoryError with the line for what is no EDN, for
 * symbols, ratios and characters, which no history has, and for numbers that would be taken for their neighbours: whole ones
 * beyond 2^53, decimals of more than 15 digits. The `:time` of an event may be such a number: nothing is judged by it.
 */
export function readEdn(text: string): readonly HistoryValue[] {
  return new EdnReader(text).all()
}

class EdnReader {
  private readonly text: string
  private at = 0
  private depth = 0
  /** Levels at which the fields of an event stand: events come one after the other, or in one vector. */
  private readonly eventDepth: number
  /** The value that is read is the time of an event. */
  private isTime = false

  constructor(text: string) {
    this.text = text
    this.eventDepth = /^[\s,]*[[(]/.test(text) ? 2 : 1
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
    for (this.skip(); this.text[this.at] !== closer; this.skip()) {
      const name = items.length % 2 === 1 ? items.at(-1) : null
      this.isTime = closer === '}' && this.depth === this.eventDepth && name instanceof Keyword && name.name === 'time'
      items.push(this.value())
    }
    this.at += 1
    this.depth -= 1
    return items
  }

  private dispatched(): HistoryValue {
    this.at += 1
    if (this.text[this.at] === '{') {
      this.at += 1
      const items = this.until('}').map((item) => ({ item, text: ednOf(item) }))
      return items.sort((left, right) => (left.text < right.text ? -1 : 1)).map(({ item }) => item)
    }
    const tag = this.taken(SYMBOL) ?? ''
    if (!/^[A-Za-z]/.test(tag)) throw this.error(`has #${tag}, which is no value of a history`)
    return this.value()
  }

  private mapOf(items: readonly HistoryValue[]): HistoryValue {
    if (items.length % 2 === 1) throw this.error('has a map with a name and no value')
    const fields: [string, HistoryValue][] = []
    for (let at = 0; at < items.length; at += 2) fields.push([this.nameOf(items[at] ?? null), items[at + 1] ?? null])
    const map = Object.fromEntries(fields)
    if (Object.keys(map).length < fields.length) throw this.error('has a map with one name twice')
    return map
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
    if (number !== null) return this.numberOf(number)
    const symbol = this.taken(SYMBOL)
    if (symbol === null) throw this.error(`has ${this.text[this.at]} where a value is to be`)
    if (symbol === 'nil') return null
    if (symbol === 'true' || symbol === 'false') return symbol === 'true'
    if (symbol.startsWith(':') && symbol.length > 1) return new Keyword(symbol.slice(1))
    throw this.error(`has ${symbol}, which is no value of a history`)
  }

  private numberOf(text: string): number {
    const digits = text.replace(/[NM]$/, '')
    const value = Number(digits)
    if (!Number.isFinite(value)) throw this.error(`has ${text}, which is greater than any number`)
    const isWhole = !/[.eE]/.test(digits)
    const significant = digits.replace(/[eE].*$/, '').replace(/^[-+0.]+|\D/g, '')
    const isExact = isWhole ? Number.isSafeInteger(value) : !text.endsWith('M') || significant.length <= DIGITS_MAX
    if (!isExact && !this.isTime) throw this.error(`has ${text}, which is not told apart from its neighbours`)
    return value
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

/** One piece of TypeScript source. Comments are tokens too, so that rules about comments see them. */
export interface Token {
  readonly kind: 'word' | 'string' | 'template' | 'regex' | 'number' | 'punctuation' | 'comment'
  /** As in the source; for `string` without its quotes. */
  readonly text: string
  /** 1-based. */
  readonly line: number
}

const WORD = /[\p{ID_Start}$_#][\p{ID_Continue}$]*/uy
const NUMBER = /\d[\w.]*/y
/** A slash after one of these begins a regular expression; after anything else it divides. */
const BEFORE_REGEX = /^(?:[([{,;:=!&|?+\-*%~^<>]|=>|return|typeof|case|in|of|do|else|void|delete|yield|await)$/

/**
 * Splits source text into tokens. Not a parser: enough to tell code from comments, strings and regular expressions, which
 * is what the rules need (TypeScript 7 exports no compiler API). Expressions inside template literals become tokens.
 */
export function tokenize(source: string): Token[] {
  return new Scanner(source).run()
}

class Scanner {
  private readonly source: string
  private readonly tokens: Token[] = []
  /** Depth of `{` inside each open `${`. */
  private readonly templates: number[] = []
  private at = 0
  private line = 1

  constructor(source: string) {
    this.source = source
  }

  run(): Token[] {
    if (this.source.startsWith('#!')) this.at = this.until('\n', 0)
    while (this.at < this.source.length) this.next()
    return this.tokens
  }

  private next(): void {
    const char = this.source.charAt(this.at)
    const two = this.source.slice(this.at, this.at + 2)
    if (/\s/.test(char)) this.skip(1)
    else if (two === '//') this.take('comment', this.until('\n', this.at))
    else if (two === '/*') this.take('comment', this.until('*/', this.at + 2) + 2)
    else if (char === "'" || char === '"') this.quoted(char)
    else if (char === '`') this.template(this.at + 1)
    else if (char === '/' && this.regexMayBegin()) this.take('regex', this.regexEnd())
    else if (!this.matched('number', NUMBER) && !this.matched('word', WORD)) this.punctuation(char, two)
  }

  private punctuation(char: string, two: string): void {
    const depth = this.templates.length - 1
    if (char === '{' && depth >= 0) this.templates[depth] = (this.templates[depth] ?? 0) + 1
    if (char === '}' && depth >= 0) {
      if (this.templates[depth] === 0) {
        this.templates.pop()
        this.template(this.at + 1)
        return
      }
      this.templates[depth] = (this.templates[depth] ?? 0) - 1
    }
    this.take('punctuation', this.at + (two === '=>' || two === '!=' || two === '?.' || two === '&&' ? 2 : 1))
  }

  /** From inside a template literal to its end or to the next `${`. */
  private template(from: number): void {
    let end = from
    while (end < this.source.length) {
      if (this.source[end] === '\\') end += 2
      else if (this.source[end] === '`') break
      else if (this.source.startsWith('${', end)) {
        this.take('template', end + 2)
        this.templates.push(0)
        return
      } else end += 1
    }
    this.take('template', end + 1)
  }

  private quoted(quote: string): void {
    let end = this.at + 1
    while (end < this.source.length && this.source[end] !== quote && this.source[end] !== '\n') {
      end += this.source[end] === '\\' ? 2 : 1
    }
    this.tokens.push({ kind: 'string', text: this.source.slice(this.at + 1, end), line: this.line })
    this.skip(end + 1 - this.at)
  }

  private regexMayBegin(): boolean {
    const last = this.tokens.findLast((token) => token.kind !== 'comment')
    if (last === undefined) return true
    return (last.kind === 'punctuation' || last.kind === 'word') && BEFORE_REGEX.test(last.text)
  }

  private regexEnd(): number {
    let inClass = false
    for (let end = this.at + 1; end < this.source.length; end += 1) {
      const char = this.source[end]
      if (char === '\n') return this.at + 1
      if (char === '\\') end += 1
      else if (char === '[') inClass = true
      else if (char === ']') inClass = false
      else if (char === '/' && !inClass) return end + 1
    }
    return this.source.length
  }

  private matched(kind: Token['kind'], pattern: RegExp): boolean {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.source)
    if (found === null) return false
    this.take(kind, this.at + found[0].length)
    return true
  }

  private take(kind: Token['kind'], end: number): void {
    this.tokens.push({ kind, text: this.source.slice(this.at, end), line: this.line })
    this.skip(end - this.at)
  }

  private skip(length: number): void {
    for (const end = this.at + length; this.at < end; this.at += 1) if (this.source[this.at] === '\n') this.line += 1
  }

  private until(text: string, from: number): number {
    const found = this.source.indexOf(text, from)
    return found === -1 ? this.source.length : found
  }
}

import { testNamesIn } from '../../tidy/requirements.ts'

/**
 * Rows of the design's tables: per table, the beginning of its rows' names, one a line. Each must stand in the name of a test
 * below one of the chapter's folders, in a file that names the section.
 */
export interface Chapter {
  /** Folders and files of test/ whose tests count. */
  readonly folders: readonly string[]
  /** `3.8 timers`: the section, then what the table is of. */
  readonly tables: { readonly [table: string]: readonly string[] }
}

/** The rows of a text, one a line. */
export const rows = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

/** Every pair of a row and a column, with what stands between. */
export const cells = (left: readonly string[], between: string, right: readonly string[]): string[] =>
  left.flatMap((one) => right.map((other) => `${one}${between}${other}`))

/** A test file, as far as its names go. */
export interface NamedFile {
  readonly path: string
  readonly source: string
  readonly names: readonly (readonly Piece[])[]
}

/** A piece of a name: literal text, or a hole that a loop or table fills (null). */
type Piece = string | null

/** `${…}` of a template; `%s` and `$field` of `test.each`. */
const HOLE = /\$\{(?:[^{}]|\{[^{}]*\})*\}|%[sijdfoO#]|\$[a-zA-Z]\w*(?:\.\w+)*/g

/** The pieces of a test's name as it stands in the source. */
export function piecesOf(name: string): Piece[] {
  const text = name.replace(/^`|`$/g, '').replaceAll("\\'", "'")
  const pieces: Piece[] = []
  let from = 0
  for (const hole of text.matchAll(HOLE)) {
    pieces.push(text.slice(from, hole.index), null)
    from = hole.index + hole[0].length
  }
  pieces.push(text.slice(from))
  return pieces.map((piece) => piece?.replaceAll('%%', '%') ?? null).filter((piece) => piece !== '')
}

/**
 * `source` is the file with whatever its tables come from: what fills a hole must stand in it, so that a row which goes from
 * the table goes from the names.
 */
export function namedFile(path: string, source: string, tables: readonly string[]): NamedFile {
  const names = testNamesIn(source).map(piecesOf)
  return { path, source: [source, ...tables].join('\n'), names }
}

/** Does a name hold the row, as whole words? */
export function isNamedIn(row: string, { names, source }: NamedFile): boolean {
  return names.some((pieces) => pieces.some((_, at) => beginsIn(row, pieces, at, source)))
}

/** The row begins in this piece: anywhere where a word begins, or where a hole does. */
function beginsIn(row: string, pieces: readonly Piece[], at: number, source: string): boolean {
  const piece = pieces[at] ?? null
  if (piece === null) return restFits(row, pieces, at, source)
  for (let from = 0; from < piece.length; from += 1) {
    const begins = from === 0 ? startsWord(pieces, at) : !isWord(piece.charAt(from - 1))
    if (begins && restFits(row, [piece.slice(from), ...pieces.slice(at + 1)], 0, source)) return true
  }
  return false
}

function restFits(row: string, pieces: readonly Piece[], at: number, source: string): boolean {
  if (row === '') return !isWord(pieces[at]?.charAt(0) ?? '')
  if (at >= pieces.length) return false
  const piece = pieces[at] ?? null
  if (piece !== null) {
    if (row.startsWith(piece)) return restFits(row.slice(piece.length), pieces, at + 1, source)
    return piece.startsWith(row) && !isWord(piece.charAt(row.length))
  }
  // The longest first: a hole is mostly filled by a whole cell.
  for (let length = row.length; length > 0; length -= 1) {
    const filling = row.slice(0, length)
    if (!source.includes(filling)) continue
    if (length === row.length || restFits(row.slice(length), pieces, at + 1, source)) return true
  }
  return false
}

const startsWord = (pieces: readonly Piece[], at: number): boolean => at === 0 || pieces[at - 1] === null

const isWord = (char: string): boolean => /[\p{L}\p{N}_]/u.test(char)

import { type MpesaParse, parseStkCallback } from './mpesa.ts'

/** Where a body begins. Inside a JSON string its quotes would be escaped, so this never stands in one. */
const BODY_START = /\{\s*"Body"\s*:/g

/**
 * The bodies on one line of a replay file, each as text or as the value that a JSON parser made of it: one, or several
 * that were written behind each other or as a list. What stands between them and is no body is given out as well, so
 * that the caller says so and nothing is lost in silence. A byte-order mark and white space around them are nothing.
 */
export function bodiesOf(line: string): readonly unknown[] {
  // `trim` takes a byte-order mark as white space.
  const text = line.trim()
  if (text === '') return []
  const whole = parsedOf(text)
  if (whole !== undefined) return Array.isArray(whole) && whole.length > 0 ? whole : [text]
  const starts = [...text.matchAll(BODY_START)].map((match) => match.index)
  if (starts.length === 0) return [text]
  const before = text.slice(0, starts[0])
  const pieces = starts.flatMap((start, at) => bodyAndRest(text.slice(start, starts[at + 1])))
  return [...(isSeparator(before) ? [] : [before.trim()]), ...pieces]
}

/** The same, parsed, in order: every body, and every part that is none. At least one. */
export function parseStkCallbacks(text: string): readonly MpesaParse[] {
  const bodies = bodiesOf(text)
  return bodies.length === 0 ? [parseStkCallback(text)] : bodies.map((body) => parseStkCallback(body))
}

/** A text that begins with a body: up to its last brace, and what follows it unless that only separates. */
function bodyAndRest(text: string): readonly string[] {
  const end = endOfObject(text)
  const rest = text.slice(end)
  return isSeparator(rest) ? [text.slice(0, end)] : [text.slice(0, end), rest.trim()]
}

/** Index after the brace that ends the object at the start of the text; the text's length when none does. */
function endOfObject(text: string): number {
  let depth = 0
  let quoted = false
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]
    if (quoted) {
      if (char === '\\') at += 1
      else if (char === '"') quoted = false
    } else if (char === '"') quoted = true
    else if (char === '{') depth += 1
    else if (char === '}') {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  return text.length
}

/** What stands between the bodies of a list, or of a stream of them. */
function isSeparator(text: string): boolean {
  return /^[\s,[\]\u001e]*$/.test(text)
}

function parsedOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

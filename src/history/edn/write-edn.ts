import type { HistoryEvent } from '../history.ts'
import { type HistoryValue, isList, Keyword } from './history-value.ts'

/** Names of objects that are written as keywords. */
const PLAIN_NAME = /^[A-Za-z*!_?-][A-Za-z0-9*!_?.-]*$/
/** What a reader takes for one keyword, namespaced (`:a/b`) or strange: such names are written as they were read. */
const KEYWORD_NAME = /^[^\s,;()[\]{}"@^`~\\]+$/
/** Names of objects that are whole numbers: maps by account are written by number, as checkers of banks read them. */
const NUMBER_NAME = /^(?:0|-?[1-9][0-9]{0,14})$/
/** Why a `cas` was executed and changed nothing. */
export const LOST_CAS = 'another-value'
/** What a reader of lines may end a line at, what no text should show, and halves of characters. */
const UNSAFE = /["\\\p{Cc}\u2028\u2029]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/gu
const SHORT: { readonly [character: string]: string } = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

/**
 * A history as Jepsen writes it, one event per line, for Knossos, Elle, Porcupine and their like:
 * `{:type :invoke, :process 0, :f :read, :key "a", :value nil, :time 12, :index 0}`. Without `:key` where there is one
 * object only; `:log-index` where the log's index is known. An invocation tells its input, a completion its output, or the
 * input again where it has none. A `cas` that answered false is a `:fail` with its input and `:error :another-value`: to
 * others an `:ok` one has replaced the value. `readHistory` makes of it what it was.
 *
 * Knossos and its like know one object and not `:key`: split a history by it first.
 */
export function writeHistory(events: readonly HistoryEvent[]): string {
  const inputs = new Map<number, HistoryValue>()
  const lines = events.map((event, index) => {
    if (event.kind === 'invoke') inputs.set(event.process, event.value)
    const input =
      event.kind === 'ok' && event.name === 'cas' && event.value === false ? inputs.get(event.process) : undefined
    return input === undefined
      ? lineOf(event, index)
      : lineOf({ ...event, kind: 'fail', value: input }, index, LOST_CAS)
  })
  return lines.map((line) => `${line}\n`).join('')
}

function lineOf(event: HistoryEvent, index: number, error: string | null = null): string {
  const { kind, name, key, value, time, logIndex } = event
  const fields = [
    `:type :${kind}`,
    `:process ${ednOf(event.process)}`,
    `:f ${ednOf(new Keyword(name))}`,
    ...(key === null ? [] : [`:key ${ednOf(key)}`]),
    `:value ${ednOf(value)}`,
    ...(error === null ? [] : [`:error :${error}`]),
    ...(time === null ? [] : [`:time ${ednOf(time)}`]),
    `:index ${index}`,
    ...(logIndex === null ? [] : [`:log-index ${ednOf(logIndex)}`]),
  ]
  return `{${fields.join(', ')}}`
}

/**
 * A value as EDN, on one line. Whole numbers never have a point, because 1 and 1.0 are not equal to those who read it; those
 * beyond 2^53, which stand for their neighbours as well, are written with an exponent. Names of objects are keywords, whole
 * numbers where they look like some, else strings, in the order of their text: equal values have equal texts. Throws RangeError
 * for numbers that equal nothing or are infinite, and for keywords that a reader would take for several values.
 */
export function ednOf(value: HistoryValue): string {
  if (value === null) return 'nil'
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return numberOf(value)
  if (typeof value === 'string') return stringOf(value)
  if (value instanceof Keyword) return keywordOf(value.name)
  if (isList(value)) return `[${value.map(ednOf).join(' ')}]`
  const fields = Object.entries(value).map(([name, field]) => `${nameOf(name)} ${ednOf(field)}`)
  return `{${fields.sort().join(', ')}}`
}

function numberOf(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`${value} stands in no history`)
  if (value === 0) return '0'
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? value.toExponential() : String(value)
}

function keywordOf(name: string): string {
  if (!KEYWORD_NAME.test(name)) throw new RangeError(`:${name} is no keyword`)
  return `:${name}`
}

function nameOf(name: string): string {
  if (PLAIN_NAME.test(name)) return `:${name}`
  return NUMBER_NAME.test(name) ? name : stringOf(name)
}

function stringOf(text: string): string {
  return `"${text.replace(UNSAFE, (character) => SHORT[character] ?? unitOf(character))}"`
}

function unitOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

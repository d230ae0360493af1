/** A cron expression as it is read. The values that a field allows are in rising order, at least one. */
export interface Cron {
  readonly minutes: readonly number[]
  readonly hours: readonly number[]
  readonly days: readonly number[]
  /** 1 is January. */
  readonly months: readonly number[]
  /** 0 is Sunday, 6 Saturday. */
  readonly weekdays: readonly number[]
  /** Which of the two fields of days decide: none (every day), one of them, or both, of which either is enough. */
  readonly dayRule: 'every' | 'day' | 'weekday' | 'either'
  /**
   * The field of hours begins with `*`: it runs at every instant at which the clock shows such a time. Otherwise it is for
   * times of a day, of which each comes once a day, whatever the clock does (occurrences.ts).
   */
  readonly everyHour: boolean
}

/** What is wrong with an expression, and where. */
export interface CronProblem {
  readonly kind: 'refused'
  /** Of the place, counted in UTF-16 units from 1. */
  readonly column: number
  /** A sentence that says what to write instead. */
  readonly message: string
}

/** Longest expression, UTF-16 units. */
export const CRON_CHARS_MAX = 256

interface Field {
  readonly name: string
  readonly min: number
  readonly max: number
  /** Names of values, from `min` on. */
  readonly names: readonly string[]
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

const FIELDS: readonly Field[] = [
  { name: 'minute', min: 0, max: 59, names: [] },
  { name: 'hour', min: 0, max: 23, names: [] },
  { name: 'day of month', min: 1, max: 31, names: [] },
  { name: 'month', min: 1, max: 12, names: MONTHS },
  // 7 is Sunday too, as in every cron.
  { name: 'day of week', min: 0, max: 7, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
]

/** The longest that each month can be. */
const DAYS_OF_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/**
 * Reads an expression of five fields: minute, hour, day of month, month, day of week, with blanks between them. Each is `*` or
 * a list of values, ranges (`8-17`) and steps (`8-17/2`, or from a star), with English names of three letters for months and
 * days of the week. Where both fields of days say something other than `*`, either is enough (POSIX). What other programs read
 * besides, each in its own way (seconds, `L`, `W`, `#`, `?`, `@daily`), is refused, and so is what no day ever fits.
 */
export function readCron(text: string): { readonly kind: 'cron'; readonly cron: Cron } | CronProblem {
  if (text.length > CRON_CHARS_MAX) return refused(1, `a cron expression has at most ${CRON_CHARS_MAX} characters`)
  const words = [...text.matchAll(/[^ \t]+/g)].map((match) => ({ text: match[0], column: match.index + 1 }))
  const [first, , , , , sixth] = words
  if (first?.text.startsWith('@') === true) return refused(first.column, 'write five fields in place of a name with @')
  if (sixth !== undefined) {
    return refused(sixth.column, 'there are five fields, from minute to day of week: leave out seconds and years')
  }
  const missing = FIELDS[words.length]
  if (missing !== undefined) return refused(text.length + 1, `the field of the ${missing.name} is missing, of five`)
  const values: number[][] = []
  for (const [at, word] of words.entries()) {
    const read = readField(FIELDS[at] as Field, word)
    if (!Array.isArray(read)) return read
    values.push(read)
  }
  return together(words, values)
}

function together(
  words: readonly { readonly text: string; readonly column: number }[],
  values: readonly (readonly number[])[],
): ReturnType<typeof readCron> {
  const [minutes = [], hours = [], days = [], months = [], named = []] = values
  const isAny = (at: number): boolean => words[at]?.text === '*'
  const dayRule = isAny(2) ? (isAny(4) ? 'every' : 'weekday') : isAny(4) ? 'day' : 'either'
  const ever = months.some((month) => (days[0] ?? 1) <= (DAYS_OF_MONTHS[month - 1] ?? 31))
  if (dayRule === 'day' && !ever) {
    return refused(words[2]?.column ?? 1, 'none of the months has such a day, so it would never run')
  }
  const weekdays = sorted(named.map((day) => day % 7))
  const everyHour = words[1]?.text.startsWith('*') === true
  return { kind: 'cron', cron: { minutes, hours, days, months, weekdays, dayRule, everyHour } }
}

/** The values of a field, or why it is refused. */
function readField(field: Field, word: { readonly text: string; readonly column: number }): number[] | CronProblem {
  const values: number[] = []
  let { column } = word
  for (const part of word.text.split(',')) {
    const read = readPart(field, part)
    if (typeof read === 'string') return refused(column, `${field.name}: ${read}`)
    values.push(...read)
    column += part.length + 1
  }
  return sorted(values)
}

/** The values of one part of a list, or what is wrong with it. */
function readPart(field: Field, part: string): number[] | string {
  const [span = '', step, ...more] = part.split('/')
  const ends = span.split('-')
  if (part === '' || more.length > 0 || ends.length > 2) return `"${part}" is no value, range or step`
  if (step !== undefined && !/^[1-9]\d?$/.test(step)) return `the step "${step}" is not a number from 1 to 99`
  const by = step === undefined ? 1 : Number(step)
  if (span === '*') return steps(field.min, field.name === 'day of week' ? 6 : field.max, by)
  const [from, to = from] = ends.map((end) => valueIn(field, end))
  if (from === undefined || to === undefined || from === null || to === null) return unknown(field, part)
  if (ends.length === 1 && step !== undefined) return `a step goes with a range: write ${span}-${field.max}/${step}`
  if (from > to) return `the range "${span}" falls: write it as two, up to ${field.max} and from ${field.min}`
  return steps(from, to, by)
}

function unknown({ min, max, names }: Field, part: string): string {
  const also = names.length === 0 ? '' : ` or one of ${names.join(', ')}`
  return `"${part}" is not understood: a value is from ${min} to ${max}${also}; ?, L, W and # mean something else in each program`
}

function valueIn({ min, max, names }: Field, text: string): number | null {
  const named = names.indexOf(text.toLowerCase())
  if (named >= 0) return min + named
  if (!/^\d{1,2}$/.test(text)) return null
  const value = Number(text)
  return value >= min && value <= max ? value : null
}

function steps(from: number, to: number, by: number): number[] {
  const values: number[] = []
  for (let value = from; value <= to; value += by) values.push(value)
  return values
}

const sorted = (values: readonly number[]): number[] => [...new Set(values)].sort((left, right) => left - right)

function refused(column: number, message: string): CronProblem {
  return { kind: 'refused', column, message }
}

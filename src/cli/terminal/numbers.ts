import { InvalidArgumentError } from 'commander'

/** Numbers as a command line says them; each throws what commander makes a sentence and exit code 2 of. */
export function integer(text: string): number {
  const value = Number(text)
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('It must be a whole number.')
  return value
}

/** 0 or more. */
export function wholeNumber(text: string): number {
  const value = integer(text)
  if (value < 0) throw new InvalidArgumentError('It must not be negative.')
  return value
}

/** 1 or more. */
export function positive(text: string): number {
  const value = integer(text)
  if (value < 1) throw new InvalidArgumentError('It must be at least 1.')
  return value
}

/** From 0 to `most`. */
export function atMost(most: number): (text: string) => number {
  return (text) => {
    const value = wholeNumber(text)
    if (value > most) throw new InvalidArgumentError(`It must be at most ${most}.`)
    return value
  }
}

/** A point in time with its zone, in ms since 1970: without one, who reads it would have to guess. A date is midnight UTC. Not
 * before 1970. */
export function time(text: string): number {
  const zoned = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text)
  const at = zoned ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at)) throw new InvalidArgumentError('Say a date, or a time with its zone: 2026-11-01T00:00+03:00.')
  if (at < 0) throw new InvalidArgumentError('It must not be before 1970: the clock of a log is later.')
  return at
}

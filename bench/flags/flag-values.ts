import { InvalidArgumentError } from 'commander'

/** Numbers of at least 1, with commas between them. Throws InvalidArgumentError, as all of these. */
export function listOf(text: string): number[] {
  return text.split(',').map(positive)
}

/** The same, or `none`. */
export function listOrNone(text: string): number[] {
  return text === 'none' ? [] : listOf(text)
}

/** Some of these names, with commas between them. */
export function namesOf(known: readonly string[]): (text: string) => string[] {
  return (text) => {
    const names = text.split(',')
    const unknown = names.find((name) => !known.includes(name))
    if (unknown !== undefined) throw new InvalidArgumentError(`There is no ${unknown} among them.`)
    return names
  }
}

/** A whole number of at least 1. */
export function positive(text: string): number {
  const value = wholeNumber(text)
  if (value === 0) throw new InvalidArgumentError('It must be at least 1.')
  return value
}

/** A whole number of at most nine digits. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

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

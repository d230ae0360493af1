import { InvalidArgumentError } from 'commander'
import type { LimitChanges } from '../../client/operator/limits.ts'

/** `name=value` as it is typed, added to those before it. */
export function limitChange(text: string, before: LimitChanges = {}): LimitChanges {
  const [, name = '', digits = ''] = /^([A-Za-z]{1,64})=(\d{1,16})$/.exec(text) ?? []
  const value = Number(digits)
  if (name === '' || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('Say name=value, a whole number: sessionsMax=500000.')
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`${name} is given twice.`)
  return { ...before, [name]: value }
}

import { keyParts } from './key.ts'

/** A row's key for people: `user/stock/items/["chair"]`. A key ends in order-preserving parts behind its last name. */
export function shownKey(key: string): string {
  const names = /^(?:user\/[^/]+\/[^/]+\/|session\/[^/]+\/?)/.exec(key)?.[0] ?? ''
  try {
    return `${names}${JSON.stringify(keyParts(key.slice(names.length)))}`
  } catch {
    return JSON.stringify(key)
  }
}

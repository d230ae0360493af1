import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive, type LockHolder, parseHolder } from '../../storage/disk/lock-holder.ts'
import { LOCK_FILE } from '../../storage/directory/identity-file.ts'

/** Every name that a node makes in its data directory, those of an interrupted write included (storage.md §1). */
const OWN = /^(HOLDFAST\.json(\.new)?|LOCK(\.[\w-]+)?|group-\d+)$/

/** The process that has a node's data directory open; null: none has, or there is no such directory. */
export function holderOf(directory: string): LockHolder | null {
  try {
    const holder = parseHolder(readFileSync(join(directory, LOCK_FILE), 'utf8'))
    return holder !== null && isAlive(holder) ? holder : null
  } catch {
    return null
  }
}

/** Whether a node makes files or directories of that name in its data directory. */
export function isNodeFile(name: string): boolean {
  return OWN.test(name)
}

/** The first name in a node's data directory that no node made; null: there is none, or no such directory. */
export function foreignName(directory: string): string | null {
  try {
    return readdirSync(directory).find((name) => !isNodeFile(name)) ?? null
  } catch {
    return null
  }
}

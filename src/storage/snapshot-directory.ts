import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

/**
 * The state directory that counts: the one that CURRENT names (storage.md §1). Makes `state-0` and CURRENT at the first
 * open; a state directory that CURRENT does not name was never switched to, or was switched away from, and goes.
 * Synchronous: it runs once, before the node serves anyone. Throws what node:fs throws; returns null when CURRENT names a
 * directory that is not there.
 */
export function chooseStateDirectory(directory: string): string | null {
  mkdirSync(directory, { recursive: true })
  const current = join(directory, 'CURRENT')
  const chosen = existsSync(current) ? readFileSync(current, 'utf8').trim() : null
  if (chosen !== null && !(STATE_NAME.test(chosen) && existsSync(join(directory, chosen)))) return null
  removeOthers(directory, chosen)
  if (chosen !== null) return join(directory, chosen)
  mkdirSync(join(directory, FIRST_STATE))
  switchTo(directory, FIRST_STATE)
  return join(directory, FIRST_STATE)
}

const FIRST_STATE = 'state-0'
const STATE_NAME = /^state-\d{1,16}$/

/** Write, fsync, rename, fsync the directory: whenever the machine stops, CURRENT is the old one or the new one. */
function switchTo(directory: string, name: string): void {
  const temporary = join(directory, 'CURRENT.new')
  const file = openSync(temporary, 'w')
  try {
    writeSync(file, `${name}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, join(directory, 'CURRENT'))
  syncDirectory(directory)
}

function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function removeOthers(directory: string, chosen: string | null): void {
  for (const name of readdirSync(directory)) {
    if (STATE_NAME.test(name) && name !== chosen) rmSync(join(directory, name), { recursive: true, force: true })
  }
}

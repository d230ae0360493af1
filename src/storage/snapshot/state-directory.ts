import fs from 'node:fs'
import { dirname, join } from 'node:path'

/** The state directory that counts, or a sentence that says why none can be told. */
export type ChosenState = { readonly path: string } | { readonly damage: string }

/**
 * The state directory that counts: the one that CURRENT names (storage.md §1.5). Makes `state-0` and CURRENT at the first
 * open; a state directory that CURRENT does not name was never switched to, or was switched away from, and goes. Nothing
 * is deleted without a CURRENT that could be read, unless it is empty. The group's own name is made durable: with the log
 * below it, a vote lives there. Synchronous: it runs once, before the node serves anyone. Throws what node:fs throws.
 */
export function chooseStateDirectory(directory: string): ChosenState {
  fs.mkdirSync(directory, { recursive: true })
  syncDirectory(dirname(directory))
  const chosen = readCurrent(join(directory, 'CURRENT'))
  const states = fs.readdirSync(directory).filter((name) => STATE_NAME.test(name))
  if (chosen === null) {
    // CURRENT is durable before a database is made in the first state directory.
    const filled = states.find((name) => fs.readdirSync(join(directory, name)).length > 0)
    if (filled !== undefined)
      return { damage: `${filled} holds data, but CURRENT, which says what counts, is missing.` }
  } else if (!states.includes(chosen)) return { damage: 'CURRENT names a state directory that is not there.' }
  for (const name of states) {
    if (name !== chosen) fs.rmSync(join(directory, name), { recursive: true, force: true })
  }
  if (chosen !== null) return { path: join(directory, chosen) }
  fs.mkdirSync(join(directory, FIRST_STATE))
  writeCurrent(directory, FIRST_STATE)
  return { path: join(directory, FIRST_STATE) }
}

/** The state directory that CURRENT names, if it is there; changes nothing. Throws what node:fs throws. */
export function currentState(directory: string): string | null {
  const name = readCurrent(join(directory, 'CURRENT'))
  return name !== null && STATE_NAME.test(name) && fs.existsSync(join(directory, name)) ? join(directory, name) : null
}

/**
 * What a state directory holds: `nothing` that a database was written to, so one may be made there; a `database`; or files
 * of one without the file that names its parts (`damaged`). Throws what node:fs throws.
 */
export function stateContent(state: string): 'nothing' | 'database' | 'damaged' {
  const names = fs.readdirSync(state)
  if (names.includes('CURRENT')) return 'database'
  // A first open that was interrupted leaves these, and files that nothing was written to yet.
  const harmless = names.every((name) => UNFINISHED.test(name) || fs.statSync(join(state, name)).size === 0)
  return harmless ? 'nothing' : 'damaged'
}

/** What is wrong with one that is `damaged`. */
export const WITHOUT_PARTS = 'The file that names the parts of the database is missing.'
const FIRST_STATE = 'state-0'
/** Names of state directories. */
export const STATE_NAME = /^state-\d{1,16}$/
/** Files of a LevelDB that was being made, before its own CURRENT. */
const UNFINISHED = /^(LOCK|LOG|LOG\.old|MANIFEST-000001|\d+\.dbtmp)$/

/** The name in CURRENT; null only where there is no such file, never where it cannot be read. */
function readCurrent(path: string): string | null {
  try {
    return fs.readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/** Write, fsync, rename, fsync the directory: whenever the machine stops, CURRENT is the old one or the new one. */
export function writeCurrent(directory: string, name: string): void {
  const temporary = join(directory, 'CURRENT.new')
  const file = fs.openSync(temporary, 'w')
  try {
    // Not writeSync, which may write a part and say so.
    fs.writeFileSync(file, `${name}\n`)
    fs.fsyncSync(file)
  } finally {
    fs.closeSync(file)
  }
  fs.renameSync(temporary, join(directory, 'CURRENT'))
  syncDirectory(directory)
}

export function syncDirectory(directory: string): void {
  const handle = fs.openSync(directory, 'r')
  try {
    fs.fsyncSync(handle)
  } finally {
    fs.closeSync(handle)
  }
}

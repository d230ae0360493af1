import { createHash } from 'node:crypto'
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { failure, success } from '../../base/result.ts'
import type { DiskLock, DiskResult } from './disk.ts'
import { forget, isAlive, newHolder, parseHolder } from './lock-holder.ts'
import type { LockHolder } from './lock-holder.ts'

/** A take-over by another process lasts microseconds; one that does not end within a second is told. */
const ATTEMPTS = 200
const PAUSE_MS = 5

/** A process that tries to take the lock. */
interface Contender {
  /** Path of the lock. */
  readonly lock: string
  readonly holder: LockHolder
  /** A file of its own that holds its record: a link to it appears whole, so no lock is ever seen half written. */
  readonly record: string
}

/** `mine`: taken. `contended`: somebody else is at it or it changed meanwhile, try again. */
type Attempt = 'mine' | 'contended' | { readonly heldBy: LockHolder }

/**
 * Takes a lock file by absolute path; `shown` names it in messages. Synchronous, once per start. A lock whose process is
 * dead on this host is taken over; one of another host cannot be judged and is refused with `ELOCKED` (storage.md §1.3).
 * Of any number of processes that try at once, one has it.
 */
export function takeLock(path: string, shown: string): DiskResult<DiskLock> {
  const holder = newHolder()
  const contender = { lock: path, holder, record: `${path}.${holder.id}` }
  let taken = false
  try {
    writeFileSync(contender.record, textOf(holder))
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const result = acquire(path, contender)
      if (result === 'mine') {
        taken = true
        removeLeftovers(path)
        return success({ release: (done) => done(release(contender)) })
      }
      if (result !== 'contended') return failure(lockedBy(result.heldBy, shown))
      pause()
    }
    return failure(changesHands(shown))
  } catch (error) {
    return ioFailure(error, shown)
  } finally {
    // One that stays behind is removed by a later holder.
    rmSync(contender.record, { force: true })
    if (!taken) forget(holder)
  }
}

/**
 * Takes the lock file `name`, or the right to take it over from a dead holder. The argument that one process at most has it:
 *
 * 1. A link is made by one of all that try.
 * 2. Whoever takes over from a dead holder X first takes a second lock, whose name holds X's id, in this same way. While it
 *    has that one, nobody else replaces X's file: X is dead, and every other process needs the same second lock.
 * 3. So what it reads under `name` now stays. If that is still X, the rename puts its own record there, in one step: at no
 *    time is there no lock. If not, X was taken over before, and since no id comes twice, X never comes back: it gives up
 *    the second lock and begins again.
 * 4. A process that dies with the second lock is a dead holder of that one: 2 holds for it, too.
 */
function acquire(name: string, contender: Contender): Attempt {
  if (linked(contender.record, name)) return 'mine'
  const text = textIn(name)
  if (text === null) return 'contended'
  const holder = parseHolder(text)
  if (holder !== null && isAlive(holder)) return name === contender.lock ? { heldBy: holder } : 'contended'
  const second = `${contender.lock}.after-${keyOf(text, holder)}`
  if (acquire(second, contender) !== 'mine') return 'contended'
  if (textIn(name) !== text) {
    unlinkIfThere(second)
    return 'contended'
  }
  renameSync(second, name)
  return 'mine'
}

/** Nobody takes a lock over from a live holder: what is this process's own when it looks stays so until it is unlinked. */
function release(contender: Contender): DiskResult<null> {
  try {
    if (textIn(contender.lock) === textOf(contender.holder)) unlinkIfThere(contender.lock)
    return success(null)
  } catch (error) {
    return ioFailure(error, contender.lock)
  } finally {
    forget(contender.holder)
  }
}

/**
 * Records and second locks of processes that died between two steps. Whoever may still be at one of them finds the lock
 * with another holder than it wants to follow, and begins again. The lock is held by now, whatever becomes of these: what
 * cannot be removed is left to a later holder.
 */
function removeLeftovers(path: string): void {
  const prefix = `${basename(path)}.`
  for (const name of namesIn(dirname(path))) {
    if (name.startsWith(prefix)) removeIfDead(join(dirname(path), name))
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function removeIfDead(file: string): void {
  try {
    const holder = parseHolder(textIn(file) ?? '')
    if (holder !== null && !isAlive(holder)) unlinkIfThere(file)
  } catch {
    // No file of ours, or none that can be read: it stays.
  }
}

function textOf(holder: LockHolder): string {
  return `${JSON.stringify(holder)}\n`
}

/** What tells a holder from all others, fit for a file's name. */
function keyOf(text: string, holder: LockHolder | null): string {
  const id = holder?.id ?? ''
  return /^[0-9a-f]{32}$/.test(id) ? id : createHash('sha256').update(text).digest('hex').slice(0, 32)
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    if (!NO_LINKS.has(codeOf(error))) throw error
    throw Object.assign(new Error(`${to} cannot be linked (${codeOf(error)})`), { code: 'ENOTSUP' })
  }
}

/** How file systems without hard links, exFAT or some shares, refuse one. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/** Null when there is no such file. */
function textIn(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS)
}

function lockedBy(holder: LockHolder, shown: string) {
  const message =
    `The data directory is in use by process ${holder.pid} on host ${holder.host} (${shown}). Stop that process, or name another directory ` +
    `with --data. If that host is gone for good, remove the file ${shown}.`
  return { code: 'ELOCKED', operation: 'lock', path: shown, message }
}

function changesHands(shown: string) {
  const message = `${shown} changes hands all the time: other processes are starting on this directory. Start one.`
  return { code: 'ELOCKED', operation: 'lock', path: shown, message }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'EIO'
}

function ioFailure(error: unknown, path: string): DiskResult<never> {
  const message = error instanceof Error ? error.message : String(error)
  return failure({ code: codeOf(error), operation: 'lock', path, message })
}

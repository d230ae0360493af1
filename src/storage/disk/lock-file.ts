import { readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { failure, success } from '../../base/result.ts'
import type { DiskLock, DiskResult } from './disk.ts'

/** What a lock file says of its holder. */
interface Holder {
  readonly pid: number
  readonly host: string
  /** When the process began, in the system's own count, so that a pid given anew is told apart; 0 where unknown. */
  readonly started: number
}

/** Locks that this process holds, by absolute path: in a container a dead holder often had the very same pid. */
const held = new Set<string>()

/**
 * Takes a lock file by absolute path; `shown` names it in messages. Synchronous, once per start. A lock whose process is
 * dead on this host is taken over; one of another host cannot be judged and is refused with `ELOCKED` (storage.md §1.3).
 */
export function takeLock(path: string, shown: string): DiskResult<DiskLock> {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      writeFileSync(path, `${JSON.stringify(thisProcess())}\n`, { flag: 'wx' })
      held.add(path)
      return success({ release: (done) => done(release(path)) })
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') return ioFailure(error, shown)
    }
    const refused = removeIfDead(path, shown)
    if (refused !== null) return refused
  }
  return failure({
    code: 'ELOCKED',
    operation: 'lock',
    path: shown,
    message: `${shown} changes hands all the time: two processes are starting on this directory. Start one.`,
  })
}

function removeIfDead(path: string, shown: string): DiskResult<never> | null {
  const holder = readHolder(path)
  if (holder !== null && (holder.host !== hostname() || isAlive(holder, path))) {
    const message =
      `The data directory is in use by process ${holder.pid} on host ${holder.host} (${shown}). Stop that process, or name another directory ` +
      `with --data. If that host is gone for good, remove the file ${shown}.`
    return failure({ code: 'ELOCKED', operation: 'lock', path: shown, message })
  }
  try {
    unlinkSync(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') return ioFailure(error, shown)
  }
  return null
}

function release(path: string): DiskResult<null> {
  held.delete(path)
  try {
    unlinkSync(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') return ioFailure(error, path)
  }
  return success(null)
}

/** The holder, or null when the file is gone or says nothing sensible (a crash between its creation and its content). */
function readHolder(path: string): Holder | null {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof parsed !== 'object' || parsed === null || !('pid' in parsed) || !('host' in parsed)) return null
    const started = 'started' in parsed && typeof parsed.started === 'number' ? parsed.started : 0
    return typeof parsed.pid === 'number' && typeof parsed.host === 'string'
      ? { pid: parsed.pid, host: parsed.host, started }
      : null
  } catch {
    return null
  }
}

function isAlive(holder: Holder, path: string): boolean {
  if (holder.pid === process.pid) return held.has(path)
  const started = startOf(holder.pid)
  if (started !== 0 && holder.started !== 0 && started !== holder.started) return false
  try {
    process.kill(holder.pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

function thisProcess(): Holder {
  return { pid: process.pid, host: hostname(), started: startOf(process.pid) }
}

/** Start time of a process in clock ticks since boot (Linux, proc(5) field 22); 0 where there is no such file. */
function startOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in parentheses may hold spaces, so fields are counted from its end.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]) || 0
  } catch {
    return 0
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'EIO'
}

function ioFailure(error: unknown, path: string): DiskResult<never> {
  return failure({
    code: codeOf(error),
    operation: 'lock',
    path,
    message: error instanceof Error ? error.message : String(error),
  })
}

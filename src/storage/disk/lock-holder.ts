import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

/** What a lock file says of its holder. */
export interface LockHolder {
  /** Drawn for every attempt to take a lock, so that no two holders are taken for one; empty in files of older builds. */
  readonly id: string
  readonly pid: number
  readonly host: string
  /** When the process began, in the system's own count, so that a pid given anew is told apart; 0 where unknown. */
  readonly started: number
}

/** Ids of the locks that this process holds or is taking. */
const held = new Set<string>()

/** This process, about to take a lock. Counts as alive until `forget`. */
export function newHolder(): LockHolder {
  const id = randomBytes(16).toString('hex')
  held.add(id)
  return { id, pid: process.pid, host: hostname(), started: startOf(process.pid) }
}

export function forget(holder: LockHolder): void {
  held.delete(holder.id)
}

/** The holder in a lock file's text; null for a text that says nothing sensible, as a power loss may leave. */
export function parseHolder(text: string): LockHolder | null {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed !== 'object' || parsed === null || !('pid' in parsed) || !('host' in parsed)) return null
    const id = 'id' in parsed && typeof parsed.id === 'string' ? parsed.id : ''
    const started = 'started' in parsed && typeof parsed.started === 'number' ? parsed.started : 0
    return typeof parsed.pid === 'number' && typeof parsed.host === 'string'
      ? { id, pid: parsed.pid, host: parsed.host, started }
      : null
  } catch {
    return null
  }
}

/**
 * False only for a process that is gone. One of another host cannot be judged and counts as alive. Where two containers on
 * one machine have the same host name, neither sees the other's processes: its pid is taken for a dead one's, as it must be
 * after every restart of a container. What then keeps the two apart is the kernel's own lock, which LevelDB takes on the
 * snapshot before the log is touched (storage.md §1.3).
 */
export function isAlive(holder: LockHolder): boolean {
  if (holder.host !== hostname()) return true
  const started = startOf(holder.pid)
  if (started !== 0 && holder.started !== 0 && started !== holder.started) return false
  if (holder.pid === process.pid) return held.has(holder.id)
  try {
    process.kill(holder.pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
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

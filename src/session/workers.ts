import type { ClientSession } from './client-session.ts'

/**
 * Live client sessions by role and by the number of tasks leased to each: who takes the next task (domain.md 0.7). Derived
 * from the rows.
 *
 * PERF: a pick looks at the least loaded only; a look at every worker of a role cost 25 µs a task with a hundred of them.
 */
export class Workers {
  /** Per role, at position n: those who hold n leases, by session index. */
  private readonly byRole = new Map<string, ClientSession[][]>()

  add(session: ClientSession): void {
    for (const role of session.row.info.roles) {
      let levels = this.byRole.get(role)
      if (levels === undefined) {
        levels = []
        this.byRole.set(role, levels)
      }
      insert(levels, session, session.leases)
    }
  }

  remove(session: ClientSession): void {
    for (const role of session.row.info.roles) {
      const levels = this.byRole.get(role)
      if (levels === undefined) continue
      withdraw(levels, session, session.leases)
      if (levels.every((level) => level.length === 0)) this.byRole.delete(role)
    }
  }

  /** Counts one lease more, or one less (−1), of a live session. */
  lease(session: ClientSession, change: 1 | -1): void {
    const before = session.leases
    session.leases += change
    for (const role of session.row.info.roles) {
      const levels = this.byRole.get(role)
      if (levels === undefined) continue
      withdraw(levels, session, before)
      insert(levels, session, session.leases)
    }
  }

  /** The holder of the role with the fewest leases, fewer than `leasesMax`, then with the lowest index, that `fits`; or null. */
  pick(role: string, leasesMax: number, fits: (worker: ClientSession) => boolean): ClientSession | null {
    const levels = this.byRole.get(role)
    if (levels === undefined) return null
    for (let leases = 0; leases < levels.length && leases < leasesMax; leases += 1) {
      for (const worker of levels[leases] as ClientSession[]) if (fits(worker)) return worker
    }
    return null
  }
}

/** A session that names a role twice is in its list once. */
function insert(levels: ClientSession[][], session: ClientSession, leases: number): void {
  while (levels.length <= leases) levels.push([])
  const level = levels[leases] as ClientSession[]
  const at = positionOf(level, session.row.index)
  if (level[at] !== session) level.splice(at, 0, session)
}

function withdraw(levels: ClientSession[][], session: ClientSession, leases: number): void {
  const level = levels[leases]
  if (level === undefined) return
  const at = positionOf(level, session.row.index)
  if (level[at] === session) level.splice(at, 1)
}

/** First position whose session index is ≥ `index`. */
function positionOf(level: readonly ClientSession[], index: number): number {
  let low = 0
  let high = level.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((level[middle] as ClientSession).row.index < index) low = middle + 1
    else high = middle
  }
  return low
}

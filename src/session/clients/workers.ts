import { lowerBoundBy } from '../../base/binary-search.ts'
import type { SessionRecord } from './session-record.ts'

/**
 * Workers with one number of leases, by session index. PERF: the indexes apart, or a search would touch every session
 * on its way.
 */
interface Level {
  readonly indexes: number[]
  readonly workers: SessionRecord[]
}

/**
 * Live client sessions by role and by the number of tasks leased to each: who takes the next task (domain.md §0.7). Derived
 * from the rows.
 *
 * PERF: a pick looks at the least loaded only; a look at every worker of a role cost 25 µs a task with a hundred of them.
 */
export class Workers {
  /** Per role, at position n: those who hold n leases. */
  private readonly byRole = new Map<string, Level[]>()

  add(session: SessionRecord): void {
    for (const role of session.row.info.roles) {
      let levels = this.byRole.get(role)
      if (levels === undefined) {
        levels = []
        this.byRole.set(role, levels)
      }
      insert(levels, session, session.leases)
    }
  }

  remove(session: SessionRecord): void {
    for (const role of session.row.info.roles) {
      const levels = this.byRole.get(role)
      if (levels === undefined) continue
      withdraw(levels, session, session.leases)
      if (levels.every(({ workers }) => workers.length === 0)) this.byRole.delete(role)
    }
  }

  /** Counts one lease more, or one less (−1), of a live session. */
  lease(session: SessionRecord, change: 1 | -1): void {
    const before = session.leases
    session.leases += change
    for (const role of session.row.info.roles) {
      const levels = this.byRole.get(role)
      if (levels === undefined) continue
      withdraw(levels, session, before)
      insert(levels, session, session.leases)
    }
  }

  /**
   * The holder of the role with the fewest leases, fewer than `leasesMax`, then with the lowest index, that `fits`;
   * or null.
   */
  pick(role: string, leasesMax: number, fits: (worker: SessionRecord) => boolean): SessionRecord | null {
    const levels = this.byRole.get(role)
    if (levels === undefined) return null
    for (let leases = 0; leases < levels.length && leases < leasesMax; leases += 1) {
      for (const worker of (levels[leases] as Level).workers) if (fits(worker)) return worker
    }
    return null
  }
}

/** A session that names a role twice is in its list once. */
function insert(levels: Level[], session: SessionRecord, leases: number): void {
  while (levels.length <= leases) levels.push({ indexes: [], workers: [] })
  const { indexes, workers } = levels[leases] as Level
  const { index } = session.row
  const at = lowerBoundBy(indexes, index, itself)
  if (indexes[at] === index) return
  indexes.splice(at, 0, index)
  workers.splice(at, 0, session)
}

function withdraw(levels: Level[], session: SessionRecord, leases: number): void {
  const level = levels[leases]
  if (level === undefined) return
  const { indexes, workers } = level
  const { index } = session.row
  const at = lowerBoundBy(indexes, index, itself)
  if (indexes[at] !== index) return
  indexes.splice(at, 1)
  workers.splice(at, 1)
}

const itself = (index: number): number => index

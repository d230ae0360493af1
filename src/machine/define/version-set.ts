/**
 * The versions of one machine that this build has. Which of them runs, the log says at each entry (sessions.md §10).
 * PERF: the version changes hardly ever, so the last answer is kept: a comparison per look-up.
 */
export class VersionSet<Machine> {
  private readonly versions: ReadonlyMap<number, Machine>
  private readonly lowest: Machine | null
  private readonly newest: Machine | null
  private active = 0
  private current: Machine | null = null

  constructor(versions: Iterable<readonly [version: number, machine: Machine]>) {
    const sorted = [...versions].sort(([left], [right]) => left - right)
    this.versions = new Map(sorted)
    this.lowest = sorted[0]?.[1] ?? null
    this.newest = sorted.at(-1)?.[1] ?? null
  }

  /**
   * The one to run while the log is at `active`; null for 0, at which none runs. A version that the build lacks is only
   * active in a log without AdvanceVersion entries, where all that there was ran: the lowest. Else apply has halted.
   */
  at(active: number): Machine | null {
    if (active !== this.active) {
      this.active = active
      this.current = active === 0 ? null : (this.versions.get(active) ?? this.lowest)
    }
    return this.current
  }

  /** That very version, or null. */
  exactly(version: number): Machine | null {
    return this.versions.get(version) ?? null
  }

  /** The highest version, or null without any. */
  get highest(): Machine | null {
    return this.newest
  }

  get numbers(): readonly number[] {
    return [...this.versions.keys()]
  }
}

/**
 * Members of one name together, sorted by name: what the order of machines decides (whose hook runs first) must not depend on
 * how a build happens to list them, because builds are compared by what they have.
 */
export function byName<Member extends { readonly name: string }>(
  members: readonly Member[],
): ReadonlyMap<string, readonly Member[]> {
  const found = new Map<string, Member[]>()
  for (const member of members) {
    const named = found.get(member.name)
    if (named === undefined) found.set(member.name, [member])
    else named.push(member)
  }
  return new Map([...found].sort(([left], [right]) => (left < right ? -1 : 1)))
}

/** What a check that found nothing has done. */
export interface CheckReport {
  readonly runs: number
  /** Log entries that were applied and compared, each replica's not counted again. */
  readonly entries: number
  /** Commands executed, by name, copies not counted. */
  readonly commands: { readonly [name: string]: number }
  /** How often each of these commands came to which end: `ok`, or the code that it was rejected with. */
  readonly outcomes: { readonly [name: string]: { readonly [code: string]: number } }
}

/** Counts what the runs of a check do. */
export class CheckTally {
  private entries = 0
  private readonly outcomes = new Map<string, Map<string, number>>()

  entry(): void {
    this.entries += 1
  }

  /** A command of the machine that is checked came to an end: `ok`, or a code. */
  command(name: string, outcome: string): void {
    const known = this.outcomes.get(name) ?? new Map<string, number>()
    known.set(outcome, (known.get(outcome) ?? 0) + 1)
    this.outcomes.set(name, known)
  }

  executed(name: string): boolean {
    return this.outcomes.has(name)
  }

  report(runs: number): CheckReport {
    const named = [...this.outcomes]
    return {
      runs,
      entries: this.entries,
      commands: Object.fromEntries(named.map(([name, by]) => [name, [...by.values()].reduce((sum, one) => sum + one)])),
      outcomes: Object.fromEntries(named.map(([name, by]) => [name, Object.fromEntries(by)])),
    }
  }
}

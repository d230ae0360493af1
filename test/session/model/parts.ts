import type { ModelEntry } from './types.ts'

/**
 * What the reference model knows of skipped parts (docs/decisions/skipping-an-entry.md): every function that an entry comes to
 * has a name, and one that is named is not run.
 */
export class ModelParts {
  /** What a state remembers, in the order in which it was skipped. The model forgets nothing: its logs are short. */
  readonly remembered: { index: number; part: string; told: boolean }[] = []
  /** What was come to and not run. */
  readonly passed: string[] = []
  private skipped: readonly string[] = []
  private calls = 0

  /** The next entry, and what is not run of it. */
  begin(index: number, skipped: readonly string[]): void {
    this.skipped = skipped
    this.calls = 0
    for (const part of skipped) this.remembered.push({ index, part, told: false })
  }

  /** Whether the function that the entry has come to is run. */
  runs(label: string): boolean {
    this.calls += 1
    const part = label === 'command' ? label : `${label}@${this.calls}`
    if (this.skipped.includes(part)) this.passed.push(part)
    return !this.skipped.includes(part)
  }

  /** Whether the entry itself is applied. */
  get whole(): boolean {
    return !this.skipped.includes('entry')
  }

  /** Whether an entry says of a part that it was skipped which was run here; it changes nothing then. */
  misses(entry: ModelEntry, index: number): boolean {
    if (entry.kind !== 'skip' || entry.index >= index) return false
    const named = this.remembered.filter((each) => each.index === entry.index && each.part === entry.part)
    for (const each of named) each.told = true
    return named.length === 0
  }
}

import type { Anomaly } from '../verdict.ts'
import type { Transaction } from './transactions.ts'

/** What one transaction did to one list. */
export interface Access {
  readonly key: string
  /** What it saw of others before its own appends; null: it did not look, or nobody knows. */
  seen: readonly string[] | null
  /** Its own, in order. */
  readonly appended: string[]
}

/**
 * What a transaction did, by list, and where it contradicts itself (`internal`): its own appends must be at the end of what it
 * reads after them, and reads of one list differ by these alone.
 */
export function accessesOf({ operation, steps }: Transaction): {
  readonly accesses: ReadonlyMap<string, Access>
  readonly anomalies: readonly Anomaly[]
} {
  const accesses = new Map<string, Access>()
  const anomalies: Anomaly[] = []
  for (const step of steps) {
    const access = accesses.get(step.key) ?? { key: step.key, seen: null, appended: [] }
    accesses.set(step.key, access)
    if (step.kind === 'append') access.appended.push(step.element)
    else if (step.seen !== null) {
      const others = step.seen.slice(0, Math.max(0, step.seen.length - access.appended.length))
      const expected = [...(access.seen ?? others), ...access.appended]
      if (!equalLists(step.seen, expected)) {
        const text = `it read [${step.seen.join(' ')}] of ${step.key} where itself makes it [${expected.join(' ')}]`
        anomalies.push({ name: 'internal', text, operations: [operation.invoked] })
      }
      access.seen ??= others
    }
  }
  return { accesses, anomalies }
}

function equalLists(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((item, at) => item === right[at])
}

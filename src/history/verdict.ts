/** Something that must not be in a history. */
export interface Anomaly {
  /** What it is called: `not-linearizable`, `lost`, `G-single`, … */
  readonly name: string
  /** What is wrong, in a sentence with the values. */
  readonly text: string
  /** Places of the invocations that show it, in the order in which they explain it; empty where it is about none. */
  readonly operations: readonly number[]
}

/** What a checker found. `unknown`: it gave up before it knew, which is no proof of anything. */
export type Verdict =
  | { readonly kind: 'ok' }
  | { readonly kind: 'violated'; readonly anomalies: readonly Anomaly[] }
  | { readonly kind: 'unknown'; readonly why: string }

/** Nothing wrong, or all of this. */
export function verdictOf(anomalies: readonly Anomaly[]): Verdict {
  return anomalies.length === 0 ? { kind: 'ok' } : { kind: 'violated', anomalies }
}

/** What several checkers of one history say together: an anomaly counts whatever was given up, and silence proves nothing. */
export function worstOf(verdicts: readonly Verdict[]): Verdict {
  const anomalies = verdicts.flatMap((verdict) => (verdict.kind === 'violated' ? verdict.anomalies : []))
  if (anomalies.length > 0) return { kind: 'violated', anomalies }
  return verdicts.find((verdict) => verdict.kind === 'unknown') ?? { kind: 'ok' }
}

import { type Anomaly, type Verdict, verdictOf } from '../verdict.ts'

/** One answer to one copy of a request. */
export interface RequestReply {
  /** Names the request among all of the history's: its session and its number. */
  readonly request: string
  readonly bytes: Uint8Array
}

/**
 * Whether each request was executed once, however often it was sent: every reply to it equals the first byte for byte, it has
 * one effect where it was answered, and at most one in any case. `effects`: a name for each time that a request was executed.
 * Anomalies: `unequal-reply`, `duplicated`, `lost`.
 */
export function checkExactlyOnce(replies: Iterable<RequestReply>, effects: Iterable<string>): Verdict {
  const anomalies: Anomaly[] = []
  const first = new Map<string, Uint8Array>()
  for (const { request, bytes } of replies) {
    const known = first.get(request)
    if (known === undefined) first.set(request, bytes)
    else if (!equal(known, bytes)) {
      const text = `${request} was answered ${hexOf(known)} first, and ${hexOf(bytes)} later`
      anomalies.push({ name: 'unequal-reply', text, operations: [] })
    }
  }
  const times = new Map<string, number>()
  for (const request of effects) times.set(request, (times.get(request) ?? 0) + 1)
  for (const [request, count] of times) {
    if (count > 1)
      anomalies.push({ name: 'duplicated', text: `${request} was executed ${count} times`, operations: [] })
  }
  for (const request of first.keys()) {
    if (!times.has(request))
      anomalies.push({ name: 'lost', text: `${request} was answered, and never executed`, operations: [] })
  }
  return verdictOf(anomalies)
}

function equal(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at])
}

function hexOf(bytes: Uint8Array): string {
  return [...bytes.subarray(0, 32)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

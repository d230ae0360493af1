import { type Anomaly, type Verdict, verdictOf } from '../verdict.ts'

/** What one client was told of a request. `failed`: it was not executed and never will be, or was refused. */
export interface ToldRequest {
  /** Names the request among all of the history's. */
  readonly request: string
  readonly outcome: 'ok' | 'failed' | 'unknown'
}

/**
 * Whether the final state holds what clients were told: of every `ok` one effect, of every unknown one at most, of every
 * failed one none, and nothing that nobody asked for. `effects`: how often the final state shows each request.
 * Anomalies: `lost`, `duplicated`, `phantom`.
 */
export function checkDurability(told: Iterable<ToldRequest>, effects: ReadonlyMap<string, number>): Verdict {
  const anomalies: Anomaly[] = []
  const asked = new Set<string>()
  const wrong = (name: 'lost' | 'duplicated' | 'phantom', request: string, outcome: string): void => {
    const text = `${request} was told ${outcome}, and applied ${effects.get(request) ?? 0} times`
    anomalies.push({ name, text, operations: [] })
  }
  for (const { request, outcome } of told) {
    asked.add(request)
    const times = effects.get(request) ?? 0
    if (outcome === 'ok' && times === 0) wrong('lost', request, outcome)
    if (outcome === 'failed' && times > 0) wrong('phantom', request, outcome)
    if (times > 1) wrong('duplicated', request, outcome)
  }
  for (const [request, times] of effects) {
    if (asked.has(request)) continue
    wrong('phantom', request, 'nothing, for nobody asked')
    if (times > 1) wrong('duplicated', request, 'nothing')
  }
  return verdictOf(anomalies)
}

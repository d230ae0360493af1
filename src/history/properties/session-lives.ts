import { type Anomaly, type Verdict, verdictOf } from '../verdict.ts'

/** What the log did to a session, in the order of the log. */
export interface SessionEvent {
  readonly kind: 'opened' | 'applied' | 'ended'
  readonly session: number
  /** Of the entry. */
  readonly logIndex: number
}

/**
 * Whether nothing is applied of a session before it is open or after it has expired or closed, no session opens or ends
 * twice, and the events come in the order of the log. Anomalies: `before-open`, `after-end`, `opened-twice`, `ended-twice`,
 * `out-of-order`.
 */
export function checkSessionLives(events: Iterable<SessionEvent>): Verdict {
  const anomalies: Anomaly[] = []
  const states = new Map<number, 'open' | 'ended'>()
  let last = 0
  for (const { kind, session, logIndex } of events) {
    const name = logIndex < last ? 'out-of-order' : WRONG[kind][states.get(session) ?? 'unknown']
    last = Math.max(last, logIndex)
    states.set(session, kind === 'ended' || states.get(session) === 'ended' ? 'ended' : 'open')
    if (name === null) continue
    anomalies.push({ name, text: `session ${session}: ${kind} at ${logIndex} is ${name}`, operations: [] })
  }
  return verdictOf(anomalies)
}

const WRONG = {
  opened: { unknown: null, open: 'opened-twice', ended: 'opened-twice' },
  applied: { unknown: 'before-open', open: null, ended: 'after-end' },
  ended: { unknown: 'before-open', open: null, ended: 'ended-twice' },
} as const

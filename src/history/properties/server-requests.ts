import { type Anomaly, type Verdict, verdictOf } from '../verdict.ts'

/** What one session saw of its server requests, in order. */
export type RequestEvent =
  /** It came, with what it said as text. */
  | { readonly kind: 'delivered'; readonly id: number; readonly content: string }
  /** The client has handled all up to this one, for the first time. */
  | { readonly kind: 'acknowledged'; readonly id: number }
  /** The session attached again: what was not acknowledged comes once more. */
  | { readonly kind: 'resumed' }

/**
 * Whether server requests come as 1, 2, 3, …: in order and without a gap, again only after a resumption and then equal and
 * from behind the last acknowledgement, each acknowledged once, and only what has come; in the end all that were `emitted`
 * are there, with their content. Anomalies: `gap`, `repeated`, `changed`, `not-resumed`, `ack-of-nothing`, `acked-twice`,
 * `undelivered`, `phantom`.
 */
export function checkServerRequests(events: Iterable<RequestEvent>, emitted: readonly string[]): Verdict {
  const anomalies: Anomaly[] = []
  const contents = new Map<number, string>()
  const wrong = (name: string, id: number, words: string): void => {
    anomalies.push({ name, text: `server request ${id} ${words}`, operations: [] })
  }
  let [next, acknowledged, resuming] = [1, 0, false]
  for (const event of events) {
    if (event.kind === 'resumed') {
      next = acknowledged + 1
      resuming = true
      continue
    }
    const { id } = event
    if (event.kind === 'acknowledged') {
      if (id <= acknowledged) wrong('acked-twice', id, `was acknowledged with ${acknowledged}`)
      if (!contents.has(id)) wrong('ack-of-nothing', id, 'was acknowledged before it came')
      acknowledged = Math.max(acknowledged, id)
      next = Math.max(next, acknowledged + 1)
      continue
    }
    const known = contents.get(id)
    if (id > next) wrong(resuming ? 'not-resumed' : 'gap', id, `came where ${next} was due`)
    if (id < next) wrong('repeated', id, `came again, with ${next} due`)
    if (known !== undefined && known !== event.content) wrong('changed', id, `said ${known}, then ${event.content}`)
    if (known === undefined) contents.set(id, event.content)
    next = Math.max(next, id + 1)
    resuming = false
  }
  emitted.forEach((content, at) => {
    const seen = contents.get(at + 1)
    if (seen === undefined) wrong('undelivered', at + 1, 'never came')
    else if (seen !== content) wrong('changed', at + 1, `was ${content} and came as ${seen}`)
  })
  for (const id of contents.keys()) if (id > emitted.length) wrong('phantom', id, 'was never emitted')
  return verdictOf(anomalies)
}

import { assertDirection } from './invariants.ts'
import type { Exchange } from './exchange.ts'
import { revealReady } from './reveal.ts'
import { statusOf } from './shown.ts'

/**
 * The end of every handler that changed something: the reveal check, the invariants, and only then what people are told. What
 * carries a topic of the exchange (domain.md §4.8) holds what `status` would answer its receiver now, so that no query has to
 * follow.
 */
export function settle(exchange: Exchange): void {
  const { ctx, sid, people } = exchange
  revealReady(exchange)
  for (const direction of exchange.both()) assertDirection(ctx, direction)
  for (const { to, topic, body } of exchange.notes) {
    const partner = to === people[0] ? people[1] : people[0]
    const told = topic.startsWith('empathy.') ? { exchange: statusOf(ctx, ctx.state, { sid, user: to, partner }) } : {}
    ctx.notify(to, topic, { sid, ...body, ...told })
  }
}

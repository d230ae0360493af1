import type { Value } from '../codec/value/value.ts'
import type { Outcome } from '../session/user-machine.ts'
import type { ConnectionSink } from './connection-sink.ts'
import type { ErrorAt } from './gateway-options.ts'

/**
 * For development: the same sink, but the details of a MACHINE_ERROR say in `hint` what was thrown and where to read more.
 * They are changed on their way out alone: what is cached and hashed knows no message (sessions.md §3, step 11).
 */
export function hintingSink(sink: ConnectionSink, node: string, errorAt: ErrorAt): ConnectionSink {
  const hinted = (outcome: Outcome, kind: 'entry' | 'query'): Outcome => {
    if (outcome.kind !== 'reject' || outcome.code !== 'MACHINE_ERROR') return outcome
    const { details } = outcome
    if (!isRecord(details) || typeof details['index'] !== 'number') return outcome
    const { index } = details
    const thrown = errorAt(index, kind)
    const hint = `${thrown === null ? '' : `${thrown}; `}see machineFailed at index ${index} in the log of ${node}`
    return { ...outcome, details: { ...details, hint } }
  }
  const changed: Pick<ConnectionSink, 'responded' | 'queried' | 'subscriptionEnded'> = {
    responded: (channel, requestId, answer) =>
      sink.responded(
        channel,
        requestId,
        answer.kind === 'outcome' ? { ...answer, outcome: hinted(answer.outcome, 'entry') } : answer,
      ),
    queried: (correlationId, position, answer) =>
      sink.queried(correlationId, position, answer.kind === 'refused' ? answer : hinted(answer, 'query')),
    subscriptionEnded: (subscriptionId, end) => {
      if (end.reason === 'refused') return sink.subscriptionEnded(subscriptionId, end)
      const { code, details } = end
      const told = hinted({ kind: 'reject', code, details }, 'query')
      sink.subscriptionEnded(subscriptionId, { ...end, details: told.kind === 'reject' ? told.details : details })
    },
  }
  return new Proxy(sink, {
    get: (target, property) => {
      if (property === 'responded' || property === 'queried' || property === 'subscriptionEnded')
        return changed[property]
      const member: unknown = Reflect.get(target, property, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

function isRecord(details: Value): details is { readonly [name: string]: Value } {
  return typeof details === 'object' && details !== null && !Array.isArray(details) && !(details instanceof Uint8Array)
}

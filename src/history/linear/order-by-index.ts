import { ednOf } from '../edn/write-edn.ts'
import { byKey, type Operation } from '../history.ts'
import { type Anomaly, type Verdict, verdictOf } from '../verdict.ts'
import { IMPOSSIBLE, type Model } from './model.ts'

/** An operation whose place in the log is known. */
type Placed = Operation & { readonly logIndex: number }

/**
 * Whether the order of the log explains the history, in time n log n: every operation that was executed has a log index;
 * what completed before another was invoked stands before it, or beside it where that one reads; no two that change
 * something share an index; and the model, led through the log, answers exactly what was answered. What is unknown and has
 * no index was never executed: whoever writes the history knows the log. Where it does not, `logIsKnown` is false, and keys
 * with such an operation are not led through the model.
 */
export function checkOrderByIndex<State extends string | number | boolean | null>(
  operations: readonly Operation[],
  model: Model<State>,
  options: { readonly logIsKnown?: boolean } = {},
): Verdict {
  const placed = operations.filter((operation): operation is Placed => operation.logIndex !== null)
  const anomalies: Anomaly[] = []
  for (const { outcome, logIndex, invoked } of operations) {
    if (outcome === 'ok' && logIndex === null)
      anomalies.push({ name: 'no-index', text: `event ${invoked} was executed at no index`, operations: [invoked] })
    if (outcome === 'failed' && logIndex !== null)
      anomalies.push({ name: 'failed-executed', text: `event ${invoked} failed at ${logIndex}`, operations: [invoked] })
  }
  anomalies.push(...disorderOf(placed, model.reads))
  for (const [key, own] of byKey(operations)) {
    const hidden = own.some(({ outcome, logIndex }) => outcome === 'unknown' && logIndex === null)
    if (hidden && options.logIsKnown === false) continue
    anomalies.push(...untrueOf(key, own, model))
  }
  return verdictOf(anomalies)
}

/** Pairs that the log has the other way round than time, and indexes that two writes share. */
function disorderOf(placed: readonly Placed[], reads: readonly string[]): readonly Anomaly[] {
  const found: Anomaly[] = []
  const sorted = inOrder(placed, reads)
  /** Of those behind the one that is looked at: who completed first. */
  let first: Placed | null = null
  for (let at = sorted.length - 1; at >= 0; at -= 1) {
    const operation = sorted[at] as Placed
    const [name, invoked] = ['against-time', operation.invoked]
    if (first !== null && first.completed < invoked) {
      const text = `event ${invoked} stands at ${operation.logIndex}, before ${first.logIndex}, which was over when it began`
      // Reads beside each other show the same: which of them was first says nothing.
      const beside = first.logIndex === operation.logIndex && reads.includes(operation.name)
      if (!beside) found.push({ name, text, operations: [first.invoked, invoked] })
    }
    const next = sorted[at + 1]
    const writes = !reads.includes(operation.name) && next !== undefined && !reads.includes(next.name)
    if (writes && next.logIndex === operation.logIndex) {
      const text = `events ${invoked} and ${next.invoked} were both executed at ${next.logIndex}`
      found.push({ name: 'shared-index', text, operations: [invoked, next.invoked] })
    }
    if (first === null || operation.completed < first.completed) first = operation
  }
  return found.reverse()
}

/** What one key's operations answered otherwise than the model in the order of the log. */
function untrueOf<State extends string | number | boolean | null>(
  key: string | null,
  operations: readonly Operation[],
  model: Model<State>,
): readonly Anomaly[] {
  const placed = operations.filter((operation): operation is Placed => operation.logIndex !== null)
  let state = model.initial
  for (const operation of inOrder(placed, model.reads)) {
    const next = model.stepOf(operation)(state)
    if (next !== IMPOSSIBLE) state = next
    else {
      const { name, input, output, logIndex, invoked } = operation
      const where = key === null ? '' : ` of key ${key}`
      const text = `${name} ${ednOf(input)}${where} at ${logIndex} answered ${ednOf(output)} where the log makes it ${ednOf(state)}`
      return [{ name: 'untrue-answer', text, operations: [invoked] }]
    }
  }
  return []
}

/** By index, reads behind the write at theirs. */
function inOrder(placed: readonly Placed[], reads: readonly string[]): readonly Placed[] {
  const rank = ({ name }: Operation): number => Number(reads.includes(name))
  return [...placed].sort((left, right) => left.logIndex - right.logIndex || rank(left) - rank(right))
}

import { ednOf } from '../edn/write-edn.ts'
import type { Operation } from '../history.ts'
import { type Anomaly, type Verdict, verdictOf } from '../verdict.ts'
import { cyclesOf, type Cycle, reasonsBetween } from './cycles.ts'
import { type Dependencies, dependenciesOf } from './dependencies.ts'
import { type Transaction, transactionsOf } from './transactions.ts'
import { versionsOf } from './version-orders.ts'

/**
 * Whether transactions that append to lists and read them are strictly serializable, after the way of Elle: a list tells in
 * which order it was written, so that who stands before whom follows from what was read; a cycle of that is an anomaly.
 * Values are `[[:append "x" 1] [:r "y" nil]]`, with what was read in place of nil once it was; each element is appended to a
 * list once.
 *
 * Anomalies: those of `versionsOf`, and `G0`, `G1c`, `G-single`, `G2`, with `-process` or `-realtime` where the values alone
 * allow it, and only the order of a process, or of time, does not. Throws HistoryError for a history that is none of lists.
 */
export function checkAppend(operations: readonly Operation[]): Verdict {
  const transactions = transactionsOf(operations)
  const versions = versionsOf(transactions)
  const dependencies = dependenciesOf(versions)
  const cycles = cyclesOf(dependencies).map((cycle) => anomalyOf(cycle, dependencies, transactions))
  return verdictOf([...versions.anomalies, ...cycles])
}

function anomalyOf(
  { name, transactions: members }: Cycle,
  dependencies: Dependencies,
  transactions: readonly Transaction[],
): Anomaly {
  const operations = members.flatMap((at) => transactions[at]?.operation ?? [])
  const steps = operations.map(({ output, input, invoked }, at) => {
    const [from = 0, to = members[0] ?? 0] = [members[at], members[at + 1]]
    return `event ${invoked} ${ednOf(output ?? input)} -${reasonsBetween(dependencies, from, to)}->`
  })
  const text = `${steps.join(' ')} event ${operations[0]?.invoked ?? 0}`
  return { name, text, operations: operations.map(({ invoked }) => invoked) }
}

import { readStatement, reconcile } from '../../machines/index.ts'
import { Violation } from '../checkers/violation.ts'
import type { Books } from './conservation.ts'
import type { Provider } from './provider.ts'

/**
 * The cluster's books against the provider's statement, to the cent. What may differ is what nobody could have told the
 * cluster: callbacks that were never sent, and refunds that were paid though every answer about them was lost.
 */
export function checkStatement(provider: Provider, books: Books): void {
  const statement = readStatement(provider.statement())
  const { differences } = reconcile(statement, books)
  // Of a refund that no replica takes for paid only the provider has a number: it must be one that was left to people.
  const left = books.refunds.filter(({ status }) => status === 'FAILED_MANUAL').map(({ amountMinor }) => amountMinor)
  const wrong = differences.filter(({ what, direction, receipt, statementMinor }) => {
    if (what !== 'notInMachine') return true
    return direction === 'in' ? !provider.lost.has(receipt ?? '') : !left.includes(statementMinor ?? 0)
  })
  if (statement.faults.length > 0 || wrong.length > 0) {
    throw new Violation('the cluster agrees with the statement of the provider', { faults: statement.faults, wrong })
  }
  const told = differences.filter(({ direction }) => direction === 'in').map(({ receipt }) => receipt)
  if (told.length !== provider.lost.size) {
    throw new Violation('what was never told is missing on the statement of differences', {
      told,
      lost: [...provider.lost],
    })
  }
}

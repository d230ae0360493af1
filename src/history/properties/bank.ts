import { isMap } from '../edn/history-value.ts'
import { ednOf } from '../edn/write-edn.ts'
import { HistoryError, type Operation } from '../history.ts'
import { type Anomaly, type Verdict, verdictOf } from '../verdict.ts'

/**
 * Whether no read of all accounts shows money made or gone: `read` answers a map from account to balance. The accounts are
 * those of the first read, whose sum is the total where none is given; no balance is below zero unless `mayOwe`. Anomalies:
 * `wrong-total`, `negative-balance`, `unknown-account`, `missing-account`.
 */
export function checkBank(
  operations: readonly Operation[],
  options: { readonly total?: number; readonly mayOwe?: boolean } = {},
): Verdict {
  const reads = operations.filter(({ name, outcome }) => name === 'read' && outcome === 'ok')
  const [first] = reads
  if (first === undefined) return { kind: 'unknown', why: 'no read was answered' }
  const accounts = Object.keys(balancesOf(first))
  const total = options.total ?? sumOf(balancesOf(first))
  return verdictOf(reads.flatMap((read) => wrongIn(read, { accounts, total, mayOwe: options.mayOwe ?? false })))
}

function wrongIn(
  read: Operation,
  expected: { readonly accounts: readonly string[]; readonly total: number; readonly mayOwe: boolean },
): readonly Anomaly[] {
  const { accounts, total, mayOwe } = expected
  const balances = balancesOf(read)
  const found: Anomaly[] = []
  const wrong = (name: string, words: string): void => {
    found.push({ name, text: `event ${read.invoked}: ${words}`, operations: [read.invoked] })
  }
  const missing = accounts.filter((account) => !(account in balances))
  const strange = Object.keys(balances).filter((account) => !accounts.includes(account))
  if (missing.length > 0) wrong('missing-account', `nothing of ${missing.join(', ')}`)
  if (strange.length > 0) wrong('unknown-account', `there is no ${strange.join(', ')}`)
  if (sumOf(balances) !== total) wrong('wrong-total', `the sum is ${sumOf(balances)} and not ${total}`)
  if (!mayOwe && Object.values(balances).some((balance) => balance < 0))
    wrong('negative-balance', `one of ${ednOf(balances)} is below zero`)
  return found
}

function balancesOf({ output, invoked }: Operation): { readonly [account: string]: number } {
  const entries = isMap(output) ? Object.entries(output) : []
  const balances = entries.flatMap(([account, balance]) => (typeof balance === 'number' ? [[account, balance]] : []))
  if (!isMap(output) || balances.length < entries.length)
    throw new HistoryError(`event ${invoked}: a read of a bank answers balances by account, and not ${ednOf(output)}`)
  return Object.fromEntries(balances)
}

function sumOf(balances: { readonly [account: string]: number }): number {
  return Object.values(balances).reduce((sum, balance) => sum + balance, 0)
}

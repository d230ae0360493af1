/**
 * What money there is, told from the rules of callbacks alone (domain.md §3.5) and not from the machine: one money for each
 * receipt, however often and wherever it is told, and one for each success that named none, until its receipt is told. Of the
 * machine it is only asked whether money can still be taken back, as it stood before the step.
 */

/** Where a transaction's money stands: in suspense, going back and not sent, or anywhere else. */
export type Place = 'suspense' | 'unsent' | 'elsewhere'

/** Money that somebody paid, once. */
export interface Money {
  readonly receipt: string | null
  readonly amountMinor: number
}

interface Counted {
  receipt: string | null
  amountMinor: number
  /** The transaction under which the machine keeps it. */
  readonly key: string
}

/** What one transaction told: its first money, and other money under the same name. */
interface Entry {
  readonly amountMinor: number
  receipt: string | null
  money: Counted
}

const normal = (receipt: string | undefined): string | null => receipt?.trim().toUpperCase() || null

export class MoneyModel {
  private readonly counted = new Set<Counted>()
  private readonly byReceipt = new Map<string, Counted>()
  private readonly entries = new Map<string, Entry[]>()

  /** All of it, in no particular order. */
  get money(): readonly Money[] {
    return [...this.counted].map(({ receipt, amountMinor }) => ({ receipt, amountMinor }))
  }

  /** A success was told of a transaction, and taken. */
  success(
    told: { readonly transactionId: string; readonly amountMinor: number; readonly receipt?: string | undefined },
    placeOf: (key: string) => Place,
  ): void {
    const { transactionId, amountMinor } = told
    const receipt = normal(told.receipt)
    const entries = this.entries.get(transactionId) ?? []
    this.entries.set(transactionId, entries)
    const same = entries.find(
      (entry) =>
        entry.amountMinor === amountMinor && (entry.receipt === null || receipt === null || entry.receipt === receipt),
    )
    if (same !== undefined) {
      if (receipt !== null && same.receipt === null) this.bring(same, receipt, placeOf)
      return
    }
    const key = entries.length === 0 ? transactionId : `${transactionId}#${entries.length + 1}`
    const money = (receipt === null ? undefined : this.byReceipt.get(receipt)) ?? { receipt, amountMinor, key }
    this.counted.add(money)
    if (receipt !== null) this.byReceipt.set(receipt, money)
    entries.push({ amountMinor, receipt, money })
  }

  /** An administrator vouched for money by its receipt, and was believed. */
  verified(told: { readonly transactionId: string; readonly amountMinor: number }): void {
    const receipt = normal(told.transactionId)
    if (receipt === null || this.byReceipt.has(receipt)) return
    this.success({ ...told, transactionId: receipt, receipt }, () => 'elsewhere')
  }

  /** An administrator named the receipt of a refund's money. */
  named(key: string, typed: string, placeOf: (key: string) => Place): void {
    const receipt = normal(typed)
    const entry = [...this.entries.values()].flat().find(({ money }) => money.key === key)
    if (entry !== undefined && entry.receipt === null && receipt !== null) this.bring(entry, receipt, placeOf)
  }

  /** Money turns out to have a receipt. If that is known, it was the same money all the time. */
  private bring(entry: Entry, receipt: string, placeOf: (key: string) => Place): void {
    entry.receipt = receipt
    const { money } = entry
    const owner = this.byReceipt.get(receipt)
    if (owner === undefined) {
      money.receipt = receipt
      this.byReceipt.set(receipt, money)
      return
    }
    const both = [money, owner]
    const gone =
      both.find(({ key }) => placeOf(key) === 'suspense') ?? both.find(({ key }) => placeOf(key) === 'unsent')
    // Both paid for something, or left: that it was paid twice is true until people have sorted it out.
    if (gone === undefined) return
    this.counted.delete(gone)
    const kept = gone === money ? owner : money
    kept.receipt = receipt
    this.byReceipt.set(receipt, kept)
    for (const each of [...this.entries.values()].flat()) if (each.money === gone) each.money = kept
  }
}

import type { Step } from '../history.ts'

/** What every account holds at first, and how many there are. */
export const ACCOUNTS = 8
export const OPENING_BALANCE = 100

/** The machine of the clients once more, as plain maps: what its journal must have led to. */
export class Model {
  private readonly registers = new Map<string, number>()
  private readonly accounts = new Map<string, number>()
  private readonly sets = new Map<string, number[]>()
  private readonly lists = new Map<string, number[]>()
  private readonly counters = new Map<string, number>()

  constructor() {
    for (let at = 0; at < ACCOUNTS; at += 1) this.accounts.set(`a${at}`, OPENING_BALANCE)
  }

  /** Executes a command; queries leave everything as it is. */
  apply({ f, key, a, b, to }: Step): string {
    switch (f) {
      case 'register.read':
        return JSON.stringify(this.registers.get(key) ?? null)
      case 'register.write':
        this.registers.set(key, a)
        return 'null'
      case 'register.cas':
        if ((this.registers.get(key) ?? 0) !== b) return 'false'
        this.registers.set(key, a)
        return 'true'
      case 'bank.read':
        return JSON.stringify([...this.accounts].toSorted(([left], [right]) => (left < right ? -1 : 1)))
      case 'bank.transfer':
        return this.transfer(key, to, a)
      case 'set.read':
        return JSON.stringify((this.sets.get(key) ?? []).toSorted((left, right) => left - right))
      case 'set.add':
        return added(this.sets, key, a)
      case 'append.read':
        return JSON.stringify(this.lists.get(key) ?? [])
      case 'append.append':
        return added(this.lists, key, a)
      case 'counter.read':
        return JSON.stringify(this.counters.get(key) ?? 0)
      case 'counter.add': {
        const next = (this.counters.get(key) ?? 0) + a
        this.counters.set(key, next)
        return JSON.stringify(next)
      }
      // Refused only where nothing is handled for long.
      case 'requests.emit':
        return 'true'
      default:
        throw new Error(`the clients have no step ${String(f satisfies never)}`)
    }
  }

  private transfer(from: string, to: string, amount: number): string {
    const balance = this.accounts.get(from) ?? 0
    if (from === to || balance < amount) return 'false'
    this.accounts.set(from, balance - amount)
    this.accounts.set(to, (this.accounts.get(to) ?? 0) + amount)
    return 'true'
  }
}

function added(rows: Map<string, number[]>, key: string, element: number): string {
  const row = rows.get(key) ?? []
  row.push(element)
  rows.set(key, row)
  return 'null'
}

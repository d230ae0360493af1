import type { Anomaly } from '../verdict.ts'
import { type Access, accessesOf } from './accesses.ts'
import { elementName, type Transaction } from './transactions.ts'

/** A transaction that may have happened, by its place in the list of transactions. */
export interface Actor {
  readonly transaction: Transaction
  readonly accesses: ReadonlyMap<string, Access>
}

/** All that the reads tell of the lists. */
export interface Versions {
  /** Those that failed have none: they did nothing. */
  readonly actors: readonly (Actor | null)[]
  /** Of each list its elements, oldest first, as the longest read has them. */
  readonly orders: ReadonlyMap<string, readonly string[]>
  /** Of each list the elements that are in it, and that no read has shown: behind all others. */
  readonly unseen: ReadonlyMap<string, readonly string[]>
  /** Who appended an element (`elementName`). */
  readonly writers: ReadonlyMap<string, number>
  readonly anomalies: readonly Anomaly[]
}

/**
 * Orders the elements of each list by what was read of it, and finds what no order can explain: `internal`,
 * `duplicate-elements`, `incompatible-order`, `phantom` (nobody appended it), `G1a` (whoever appended it failed), `G1b` (a
 * state in the middle of a transaction was read) and `lost-update` (two appended after having read the same).
 */
export function versionsOf(transactions: readonly Transaction[]): Versions {
  const anomalies: Anomaly[] = []
  const writers = new Map<string, number>()
  const failed = new Map<string, Transaction>()
  const actors = transactions.map((transaction, at): Actor | null => {
    const { accesses, anomalies: own } = accessesOf(transaction)
    const happened = transaction.operation.outcome !== 'failed'
    for (const { key, appended } of accesses.values()) {
      for (const element of appended) {
        if (happened) writers.set(elementName(key, element), at)
        else failed.set(elementName(key, element), transaction)
      }
    }
    if (!happened) return null
    anomalies.push(...own)
    return { transaction, accesses }
  })
  const reads = actors.flatMap((actor) => (actor === null ? [] : readsOf(actor)))
  const orders = new Map<string, readonly string[]>()
  for (const { key, seen } of reads) if (seen.length >= (orders.get(key) ?? []).length) orders.set(key, seen)
  for (const read of reads) anomalies.push(...strangeIn(read, { orders, writers, failed, actors }))
  anomalies.push(...lostUpdates(actors))
  return { actors, orders, unseen: unseenOf(actors, orders), writers, anomalies }
}

interface Read {
  readonly key: string
  readonly seen: readonly string[]
  readonly by: Actor
}

function readsOf(by: Actor): readonly Read[] {
  return [...by.accesses.values()].flatMap(({ key, seen }) => (seen === null ? [] : [{ key, seen, by }]))
}

function strangeIn(
  { key, seen, by }: Read,
  known: Pick<Versions, 'orders' | 'writers' | 'actors'> & { readonly failed: ReadonlyMap<string, Transaction> },
): readonly Anomaly[] {
  const found: Anomaly[] = []
  const { invoked } = by.transaction.operation
  const wrong = (name: string, text: string, ...others: readonly number[]): void => {
    found.push({
      name,
      text: `event ${invoked} read [${seen.join(' ')}] of ${key}: ${text}`,
      operations: [invoked, ...others],
    })
  }
  if (new Set(seen).size < seen.length) wrong('duplicate-elements', 'one of them twice')
  const order = known.orders.get(key) ?? []
  if (seen.some((element, at) => element !== order[at]))
    wrong('incompatible-order', `another read [${order.join(' ')}], and neither is the beginning of the other`)
  for (const element of seen) {
    const name = elementName(key, element)
    const aborted = known.failed.get(name)
    if (aborted !== undefined) wrong('G1a', `whoever appended ${element} failed`, aborted.operation.invoked)
    else if (!known.writers.has(name)) wrong('phantom', `nobody appended ${element}`)
  }
  const last = seen.at(-1)
  const writer = last === undefined ? undefined : known.actors[known.writers.get(elementName(key, last)) ?? -1]
  const appended = writer?.accesses.get(key)?.appended ?? []
  if (writer !== undefined && writer !== null && writer !== by && last !== appended.at(-1))
    wrong('G1b', `${last} is in the middle of a transaction`, writer.transaction.operation.invoked)
  return found
}

function lostUpdates(actors: readonly (Actor | null)[]): readonly Anomaly[] {
  const found: Anomaly[] = []
  const first = new Map<string, number>()
  for (const actor of actors) {
    if (actor === null) continue
    const { invoked } = actor.transaction.operation
    for (const { key, seen, appended } of actor.accesses.values()) {
      if (seen === null || appended.length === 0) continue
      const version = elementName(key, seen.join(' '))
      const other = first.get(version)
      if (other === undefined) first.set(version, invoked)
      else {
        const text = `events ${other} and ${invoked} both appended to ${key} after they had read [${seen.join(' ')}]`
        found.push({ name: 'lost-update', text, operations: [other, invoked] })
      }
    }
  }
  return found
}

function unseenOf(
  actors: readonly (Actor | null)[],
  orders: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, readonly string[]> {
  const unseen = new Map<string, string[]>()
  const seen = new Map([...orders].map(([key, order]) => [key, new Set(order)]))
  for (const actor of actors) {
    if (actor === null || !happened(actor, seen)) continue
    for (const { key, appended } of actor.accesses.values()) {
      const missing = appended.filter((element) => seen.get(key)?.has(element) !== true)
      if (missing.length > 0) unseen.set(key, [...(unseen.get(key) ?? []), ...missing])
    }
  }
  return unseen
}

/** Of a transaction whose outcome is unknown, one element that was read tells that all of it happened. */
function happened({ transaction, accesses }: Actor, seen: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  if (transaction.operation.outcome === 'ok') return true
  return [...accesses.values()].some(({ key, appended }) => appended.some((element) => seen.get(key)?.has(element)))
}

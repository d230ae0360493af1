import type { Operation } from '../history.ts'
import { elementName } from './transactions.ts'
import type { Actor, Versions } from './version-orders.ts'

/** Why one transaction must stand before another, as bits: several reasons may hold at once. */
export const REASON = {
  /** It wrote the version before. */
  ww: 1,
  /** It wrote the version that was read. */
  wr: 2,
  /** It read the version before. */
  rw: 4,
  /** It is of the same process, and was over. */
  process: 8,
  /** It was over when the other began. */
  realtime: 16,
} as const

/** For each transaction those that must stand behind it, with the reasons. */
export type Dependencies = readonly ReadonlyMap<number, number>[]

/** All that the versions and the times of the transactions say of their order. */
export function dependenciesOf(versions: Versions): Dependencies {
  const { actors } = versions
  const edges = actors.map(() => new Map<number, number>())
  const add = (from: number | undefined, to: number | undefined, reason: number): void => {
    if (from === undefined || to === undefined || from === to) return
    edges[from]?.set(to, (edges[from]?.get(to) ?? 0) | reason)
  }
  addWrites(versions, add)
  addReads(versions, add)
  addTimes(actors, add)
  return edges
}

type Add = (from: number | undefined, to: number | undefined, reason: number) => void

function addWrites({ orders, unseen, writers }: Versions, add: Add): void {
  for (const [key, order] of orders) {
    const writerOf = (element: string): number | undefined => writers.get(elementName(key, element))
    for (let at = 1; at < order.length; at += 1)
      add(writerOf(order[at - 1] ?? ''), writerOf(order[at] ?? ''), REASON.ww)
    const last = order.at(-1)
    if (last === undefined) continue
    for (const element of unseen.get(key) ?? []) add(writerOf(last), writerOf(element), REASON.ww)
  }
}

function addReads({ actors, orders, unseen, writers }: Versions, add: Add): void {
  actors.forEach((actor, reader) => {
    for (const { key, seen } of actor?.accesses.values() ?? []) {
      const order = orders.get(key) ?? []
      // A read that fits no order says nothing of it.
      if (seen === null || seen.some((element, at) => element !== order[at])) continue
      const last = seen.at(-1)
      if (last !== undefined) add(writers.get(elementName(key, last)), reader, REASON.wr)
      const next = order[seen.length]
      const after = next === undefined ? (unseen.get(key) ?? []) : [next]
      for (const element of after) add(reader, writers.get(elementName(key, element)), REASON.rw)
    }
  })
}

/** Of those that were over before a transaction began it stands behind the last ones, which stand behind all others. */
function addTimes(actors: readonly (Actor | null)[], add: Add): void {
  const known = actors.flatMap((actor, at) => (actor === null ? [] : [{ at, operation: actor.transaction.operation }]))
  const events = known
    .flatMap(({ at, operation }) => [
      { at, operation, place: operation.invoked, begins: true },
      ...(Number.isFinite(operation.completed) ? [{ at, operation, place: operation.completed, begins: false }] : []),
    ])
    .sort((left, right) => left.place - right.place)
  let over: { readonly at: number; readonly operation: Operation }[] = []
  const lastOf = new Map<number, number>()
  for (const { at, operation, begins } of events) {
    if (begins) {
      for (const before of over) add(before.at, at, REASON.realtime)
      add(lastOf.get(operation.process), at, REASON.process)
    } else {
      over = over.filter((before) => before.operation.completed > operation.invoked)
      over.push({ at, operation })
      lastOf.set(operation.process, at)
    }
  }
}

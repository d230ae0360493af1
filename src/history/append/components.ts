import type { Dependencies } from './dependencies.ts'

/**
 * Sets of more than one transaction that all stand before each other by the reasons of `mask`: the strongly connected
 * components of Tarjan, without his recursion.
 */
export function componentsOf(dependencies: Dependencies, mask: number): readonly ReadonlySet<number>[] {
  const found: ReadonlySet<number>[] = []
  const order = new Int32Array(dependencies.length).fill(-1)
  const lowest = new Int32Array(dependencies.length)
  const open: number[] = []
  const isOpen = new Set<number>()
  const path: { readonly node: number; readonly next: Iterator<number> }[] = []
  let count = 0
  const enter = (node: number): void => {
    order[node] = count
    lowest[node] = count
    count += 1
    open.push(node)
    isOpen.add(node)
    path.push({ node, next: successors(dependencies, node, mask) })
  }
  const lower = (node: number, to: number): void => {
    lowest[node] = Math.min(lowest[node] ?? 0, to)
  }
  for (let root = 0; root < dependencies.length; root += 1) {
    if (order[root] === -1) enter(root)
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { node, next } = top
      const { done = false, value } = next.next()
      if (!done) {
        if (order[value] === -1) enter(value)
        else if (isOpen.has(value)) lower(node, order[value] ?? 0)
        continue
      }
      path.pop()
      const parent = path.at(-1)
      if (parent !== undefined) lower(parent.node, lowest[node] ?? 0)
      if (lowest[node] !== order[node]) continue
      const component = new Set(open.splice(open.lastIndexOf(node)))
      for (const member of component) isOpen.delete(member)
      if (component.size > 1) found.push(component)
    }
  }
  return found
}

function* successors(dependencies: Dependencies, node: number, mask: number): Generator<number, undefined> {
  for (const [to, reasons] of dependencies[node] ?? []) if ((reasons & mask) !== 0) yield to
  return undefined
}

/** The shortest way by the reasons of `mask` within a component, both ends included; null: there is none. */
export function wayWithin(
  dependencies: Dependencies,
  component: ReadonlySet<number>,
  way: { readonly from: number; readonly to: number; readonly mask: number },
): readonly number[] | null {
  const { from, to, mask } = way
  const before = new Map<number, number>([[from, from]])
  for (const node of before.keys()) {
    if (node === to) break
    for (const [next, reasons] of dependencies[node] ?? []) {
      if ((reasons & mask) !== 0 && component.has(next) && !before.has(next)) before.set(next, node)
    }
  }
  if (!before.has(to)) return null
  const found = [to]
  for (let node = to; node !== from; found.unshift(node)) node = before.get(node) ?? from
  return found
}

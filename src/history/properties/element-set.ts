import { isList } from '../edn/history-value.ts'
import { ednOf } from '../edn/write-edn.ts'
import { byKey, HistoryError, type Operation } from '../history.ts'
import { type Anomaly, type Verdict, verdictOf } from '../verdict.ts'

/**
 * Whether a set that only grows keeps what was added: `add` an element (each once), `read` all of them as a list. What was
 * acknowledged, or shown by a read, before a read was invoked must be in it; nothing is there that nobody added or whose
 * addition failed; nothing is there twice. Unknown additions may show at any time, or never. Anomalies: `lost` (in no later
 * read), `stale` (missing, and there again later), `phantom`, `duplicate-elements`.
 *
 * `unknown` where no read was answered: nothing was seen of the set. Throws HistoryError for operations that no set has.
 */
export function checkSet(operations: readonly Operation[]): Verdict {
  const strange = operations.find(({ name }) => name !== 'add' && name !== 'read')
  if (strange !== undefined) throw new HistoryError(`event ${strange.invoked}: no set is asked to ${strange.name}`)
  if (!operations.some(({ name, outcome }) => name === 'read' && outcome === 'ok'))
    return { kind: 'unknown', why: 'no read was answered' }
  return verdictOf([...byKey(operations).values()].flatMap(wrongIn))
}

interface Element {
  /** Its addition; the place at which everybody had to know it, Infinity: nobody has to. */
  readonly added: Operation
  knownAt: number
}

interface Read {
  readonly operation: Operation
  readonly seen: readonly string[]
}

function wrongIn(operations: readonly Operation[]): readonly Anomaly[] {
  const elements = elementsOf(operations)
  const reads = operations.flatMap((operation): readonly Read[] =>
    operation.name === 'read' && operation.outcome === 'ok' ? [{ operation, seen: seenBy(operation) }] : [],
  )
  const found = reads.flatMap(({ operation, seen }) => impossibleIn(operation, seen, elements))
  for (const { operation, seen } of reads) {
    for (const text of seen) {
      const element = elements.get(text)
      if (element !== undefined) element.knownAt = Math.min(element.knownAt, operation.completed)
    }
  }
  const inOrder = reads.map(({ operation, seen }) => ({ operation, seen: new Set(seen) }))
  for (const [text, { added, knownAt }] of elements) {
    const after = inOrder.filter(({ operation }) => operation.invoked > knownAt)
    const missing = after.filter(({ seen }) => !seen.has(text))
    const [first] = missing
    if (first === undefined) continue
    const back = after.some(({ operation, seen }) => operation.invoked > first.operation.invoked && seen.has(text))
    found.push({
      name: back ? 'stale' : 'lost',
      text: `${text} was there by event ${knownAt}, and not in ${missing.length} of ${after.length} reads after it`,
      operations: [added.invoked, first.operation.invoked],
    })
  }
  return found
}

function elementsOf(operations: readonly Operation[]): ReadonlyMap<string, Element> {
  const elements = new Map<string, Element>()
  for (const added of operations) {
    if (added.name !== 'add') continue
    const text = ednOf(added.input)
    if (elements.has(text)) throw new HistoryError(`event ${added.invoked}: ${text} is added twice`)
    elements.set(text, { added, knownAt: added.outcome === 'ok' ? added.completed : Number.POSITIVE_INFINITY })
  }
  return elements
}

function seenBy({ output, invoked }: Operation): readonly string[] {
  if (!isList(output)) throw new HistoryError(`event ${invoked}: a read of a set answers a list`)
  return output.map(ednOf)
}

/** What no state of the set can show. */
function impossibleIn(
  { invoked, completed }: Operation,
  seen: readonly string[],
  elements: ReadonlyMap<string, Element>,
): readonly Anomaly[] {
  const found: Anomaly[] = []
  const twice = seen.filter((text, at) => seen.indexOf(text) < at)
  if (twice.length > 0)
    found.push({ name: 'duplicate-elements', text: `${twice.join(' ')} twice in a read`, operations: [invoked] })
  for (const text of new Set(seen)) {
    const added = elements.get(text)?.added
    if (added !== undefined && added.outcome !== 'failed' && added.invoked < completed) continue
    const why = added === undefined ? 'nobody added it' : added.outcome === 'failed' ? 'that failed' : 'it came later'
    found.push({ name: 'phantom', text: `${text} was read, and ${why}`, operations: [invoked] })
  }
  return found
}

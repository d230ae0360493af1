import { ednOf } from '../edn/write-edn.ts'
import { byKey, type Operation } from '../history.ts'
import type { Anomaly, Verdict } from '../verdict.ts'
import { EventList } from './event-list.ts'
import { IMPOSSIBLE, type Model } from './model.ts'
import { OperationSet, Visited } from './visited.ts'

/** Steps of the model for one history, where the caller says nothing: some seconds, and some hundred megabytes. */
const STEPS_MAX = 2_000_000
/** Operations of the longest linearization that an anomaly tells. */
const TOLD = 5

/**
 * Whether every operation can have happened at one instant between its invocation and its completion, such that one after
 * the other they do what the model does: the algorithm of Wing and Gong, with Lowe's memory of what was tried, and of what
 * is needless because less did as well. Keys are judged each for itself, which for linearizability is enough. What failed
 * did not happen; what is unknown happened at any time after its invocation, or never.
 *
 * `unknown` where more than `stepsMax` steps of the model were needed, which says nothing of the history. Of a key that is not
 * linearizable the anomaly names the operation that fits nowhere behind the longest linearization found, and the end of that.
 */
export function checkLinearizable<State extends string | number | boolean | null>(
  operations: readonly Operation[],
  model: Model<State>,
  options: { readonly stepsMax?: number } = {},
): Verdict {
  const budget = { steps: options.stepsMax ?? STEPS_MAX }
  const anomalies: Anomaly[] = []
  let unknown = false
  for (const [key, all] of byKey(operations)) {
    const counted = all.filter(
      ({ outcome, name }) => outcome === 'ok' || (outcome === 'unknown' && !model.reads.includes(name)),
    )
    const found = searchKey(counted, model, budget)
    if (found.kind === 'stuck') anomalies.push(anomalyOf(key, found, counted))
    unknown ||= found.kind === 'unknown'
  }
  if (anomalies.length > 0) return { kind: 'violated', anomalies }
  return unknown ? { kind: 'unknown', why: 'the search took more steps than it may' } : { kind: 'ok' }
}

type Found =
  | { readonly kind: 'ok' | 'unknown' }
  | { readonly kind: 'stuck'; readonly longest: readonly number[]; readonly stuckAt: number }

/** PERF: a step copies ⌈n / 32⌉ words of memory; the number of steps is exponential in what overlaps, at worst. */
function searchKey<State extends string | number | boolean | null>(
  operations: readonly Operation[],
  model: Model<State>,
  budget: { steps: number },
): Found {
  const steps = operations.map((operation) => model.stepOf(operation))
  const list = new EventList(operations)
  const linearized = new OperationSet(operations.map(({ outcome }) => outcome === 'unknown'))
  const twins = earlierTwins(operations)
  const visited = new Visited<State>()
  const stack: { readonly operation: number; readonly before: State }[] = []
  let state = model.initial
  let longest: readonly number[] | null = null
  let stuckAt = 0
  let entry = list.first
  // What is left at the end are operations that nobody knows to have happened.
  while (entry !== list.end) {
    const operation = entry >> 1
    if ((entry & 1) === 0) {
      budget.steps -= 1
      if (budget.steps < 0) return { kind: 'unknown' }
      const [step, twin] = [steps[operation], twins[operation] ?? -1]
      const waits = step === undefined || (twin !== -1 && !linearized.has(twin))
      const next = waits ? IMPOSSIBLE : step(state)
      linearized.toggle(operation)
      if (next !== IMPOSSIBLE && visited.add(linearized, next)) {
        stack.push({ operation, before: state })
        state = next
        list.take(operation)
        entry = list.first
      } else {
        linearized.toggle(operation)
        entry = list.after(entry)
      }
      continue
    }
    // This one completed, and stands nowhere yet: an earlier choice was wrong.
    if (longest === null || longest.length < stack.length) {
      longest = stack.map((item) => item.operation)
      stuckAt = operation
    }
    const last = stack.pop()
    if (last === undefined) return { kind: 'stuck', longest, stuckAt }
    state = last.before
    linearized.toggle(last.operation)
    list.putBack(last.operation)
    entry = list.after(2 * last.operation)
  }
  return { kind: 'ok' }
}

/**
 * Of each operation whose outcome is unknown the one before that asks for the same, -1: none. They go in the order in which
 * they were asked for: any of them does what another does.
 */
function earlierTwins(operations: readonly Operation[]): Int32Array {
  const last = new Map<string, number>()
  return Int32Array.from(operations, ({ outcome, name, input }, at) => {
    if (outcome !== 'unknown') return -1
    const asked = `${name} ${ednOf(input)}`
    const twin = last.get(asked) ?? -1
    last.set(asked, at)
    return twin
  })
}

function anomalyOf(
  key: string | null,
  { longest, stuckAt }: { readonly longest: readonly number[]; readonly stuckAt: number },
  operations: readonly Operation[],
): Anomaly {
  const told = [...longest.slice(-TOLD), stuckAt].flatMap((at) => operations[at] ?? [])
  const last = told.at(-1)
  const before = told.slice(0, -1).map(wordsOf).join(', ')
  const where = key === null ? '' : ` of key ${key}`
  const text = `${last === undefined ? 'an operation' : wordsOf(last)}${where} fits nowhere behind ${longest.length} others${before === '' ? '' : `, the last of them ${before}`}`
  return { name: 'not-linearizable', text, operations: told.map(({ invoked }) => invoked) }
}

function wordsOf(operation: Operation): string {
  const { name, input, output, outcome } = operation
  const answer = outcome === 'ok' ? ` → ${ednOf(output)}` : ` (${outcome})`
  return `${operation.process}: ${name} ${ednOf(input)}${answer}`
}

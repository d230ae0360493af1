import type { Seen } from '../../../src/cli/demo/flow.ts'

/** From the year 2001 on, in ms: no amount of a flow is that large. */
const TIMES_FROM = 1_000_000_000_000

/**
 * What each side of a flow saw, a line per thing, without what differs between two runs of one cluster: times, names of the
 * run, the numbers of ids and tasks. Ids that were equal are equal, and named in the order in which they appear.
 */
export function transcriptOf(seen: readonly Seen[], suffix: string): string[] {
  const ids = new Map<string, string>()
  const told = new Map<string, number>()
  const named = (kind: string, id: string): string => {
    const known = ids.get(id)
    if (known !== undefined) return known
    const number = (told.get(kind) ?? 0) + 1
    told.set(kind, number)
    ids.set(id, `${kind}#${number}`)
    return `${kind}#${number}`
  }
  const plain = (name: string, value: unknown): unknown => {
    if (typeof value === 'number' && value >= TIMES_FROM) return 'a time'
    if (typeof value !== 'string') return value
    if (name === 'taskId') return named('task', value)
    const own = suffix === '' ? value : value.replaceAll(suffix, '').replaceAll(suffix.toUpperCase(), '')
    return own.replaceAll(/\b(ses|inv|rel|emo|need|con|cg|str|agr|bkg|att|off|res|ref)-\d+\b/g, (id, kind: string) =>
      named(kind, id),
    )
  }
  return seen.map((line) => JSON.stringify(line, plain))
}

import type { EntityRow } from '../../machine/xstate/index.ts'

/** What is compared: an entity, or the actor that stands for it, with its timers and everything below. */
export interface SeenEntity {
  readonly status: string
  readonly value: unknown
  readonly context: unknown
  readonly output: unknown
  /** Each as its event and the log's time at which it is due. */
  readonly timers: readonly string[]
  readonly below: { readonly [id: string]: SeenEntity | 'work' }
}

/** The entity of that id as its rows have it; null when there is none. */
export function seenEntity(rows: { get(id: string): EntityRow | undefined }, id: string): SeenEntity | null {
  const row = rows.get(id)
  if (row === undefined) return null
  const { status, value, context, output, timers, actors } = row
  const running = Object.entries(actors).filter(([, { ended }]) => !ended)
  return {
    status,
    value,
    context,
    output,
    timers: timers
      .filter(({ fired }) => !fired)
      .map(({ event, dueAt }) => `${event.type} at ${dueAt}`)
      .sort(),
    below: Object.fromEntries(
      running.map(([actor, { kind }]) => {
        const below = kind === 'entity' ? seenEntity(rows, `${id}/${actor}`) : 'work'
        return [actor, below ?? NOBODY]
      }),
    ),
  }
}

/** An actor that its entity knows and that has no row. */
const NOBODY: SeenEntity = { status: 'missing', value: null, context: null, output: null, timers: [], below: {} }

/** Equal values have equal texts: keys in order, what is undefined left out. */
export function seenText(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner
    return Object.fromEntries(Object.entries(inner).sort(([left], [right]) => (left < right ? -1 : 1)))
  })
}

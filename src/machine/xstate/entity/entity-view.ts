import type { StateValue } from 'xstate'
import type { Value } from '../../../codec/value/value.ts'
import type { Chart } from '../chart/chart.ts'
import type { Rest } from '../chart/rest.ts'
import type { EntityRow } from './entity-row.ts'

/** An entity as clients see it, without the types of its chart. */
export type ErasedView = {
  readonly id: string
  readonly status: EntityRow['status']
  readonly value: Value
  readonly context: EntityRow['context']
  readonly output: Value
  readonly error: Value
  readonly tags: readonly string[]
  readonly meta: { readonly [state: string]: Value }
  readonly allowed: readonly string[]
  readonly actors: readonly string[]
}

/** What a client is shown of an entity: between two events, hence the same on every node. */
export function entityView(id: string, row: EntityRow, chart: Chart): ErasedView {
  const { status, value, context, output, error, actors } = row
  const { tags, meta, allowed } =
    status === 'active' || chart.has(value as StateValue) ? chart.rest(value as StateValue) : NOTHING
  return {
    id,
    status,
    value,
    context,
    output,
    error,
    tags: [...tags],
    meta,
    allowed: status === 'active' ? allowed : [],
    actors: Object.keys(actors),
  }
}

/** A migration leaves ended entities as they are, so they may rest in states that the chart has no more. */
const NOTHING: Pick<Rest, 'tags' | 'meta' | 'allowed'> = { tags: new Set(), meta: {}, allowed: [] }

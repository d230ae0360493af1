import type { AnyMachineSnapshot } from 'xstate'
import type { Value } from '../../../codec/value/value.ts'
import type { Chart } from '../chart/chart.ts'
import type { EntityRow } from './entity-row.ts'
import { plainValue } from '../chart/plain-value.ts'
import { restored } from './step.ts'

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

const NONE: ReadonlySet<string> = new Set()

/** What a client is shown of an entity: between two events, hence the same on every node. */
export function entityView(id: string, row: EntityRow, chart: Chart): ErasedView {
  const { status, value, context, output, error, actors, parent } = row
  const snapshot = restored(chart, { ...row, status: 'active' }, { id, parent: parent?.id ?? null, named: NONE })
  return {
    id,
    status,
    value,
    context,
    output,
    error,
    tags: [...snapshot.tags],
    meta: metaOf(snapshot),
    allowed: status === 'active' ? chart.allowedEvents(snapshot) : [],
    actors: Object.keys(actors),
  }
}

function metaOf(snapshot: AnyMachineSnapshot): ErasedView['meta'] {
  const entries = Object.entries(snapshot.getMeta()).filter(([, meta]) => meta !== undefined)
  return Object.fromEntries(entries.map(([state, meta]) => [state, plainValue(meta, `meta of ${state}`)]))
}

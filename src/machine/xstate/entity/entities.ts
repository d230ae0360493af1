import type { StateValue } from 'xstate'
import type { SessionId } from '../../../base/brand.ts'
import type { Value } from '../../../codec/value/value.ts'
import { isEngineError } from '../../../session/run/engine-error.ts'
import type { TaskRecord } from '../../../session/user-machine.ts'
import type { ErrorDetails } from '../../define/rejection.ts'
import { matchesDescriptor } from '../chart/descriptor.ts'
import { stateText } from '../chart/document-order.ts'
import { bytesApart } from '../chart/plain-value.ts'
import type { MigratingEntity } from '../options.ts'
import type { EntityRow, EventRow } from './entity-row.ts'
import { EntityRun } from './entity-run.ts'
import { entityView, type ErasedView } from './entity-view.ts'
import type { RunContext, RunParts } from './run-context.ts'
import { takes } from './step.ts'

/** What the worker of an actor was given. */
type TaskPayload = { readonly entity: string; readonly actor: string; readonly n: number }

/** Rows in the order of their ids. */
export interface EntityRange {
  range(bounds: { readonly from?: string; readonly limit: number }): readonly (readonly [string, EntityRow])[]
  each(): Iterable<readonly [string, EntityRow]>
}

/** The entities of a chart inside one handler: everything that happens to them goes through here, and is written at once. */
export class Entities {
  private readonly ctx: RunContext
  private readonly parts: RunParts

  constructor(ctx: RunContext, parts: RunParts) {
    this.ctx = ctx
    this.parts = parts
  }

  /** The persisted snapshot, or undefined; bytes in it are the row's own, not to be changed. */
  row(id: string): EntityRow | undefined {
    return this.ctx.state.entities.get(id)
  }

  /** As a client reads it, without the types of its chart; null when there is none. */
  view(id: string): ErasedView | null {
    const row = this.row(id)
    return row === undefined ? null : entityView(id, row, this.parts.chart.at(row.chart))
  }

  /**
   * A new entity and its first step. `watchers`: client sessions that are sent what it emits. Throws for an id that is taken,
   * empty or has a slash, and what the chart throws.
   */
  create(id: string, input: Value, { watchers = [] }: { readonly watchers?: readonly SessionId[] } = {}): void {
    // It would be overwritten, and its work and children would run on.
    if (this.row(id) !== undefined) throw new Error(`there is an entity ${id} already; ask row(id) before create`)
    if (id === '' || id.includes('/'))
      throw new Error(`'${id}' is no id of an entity: / stands before the name of a child`)
    this.asked((run) => run.create(id, input, { watchers }))
  }

  /** Why the present state does not take this event, or null; an ended entity takes none (the tests of X3). */
  invalid(id: string, row: EntityRow, event: EventRow): ErrorDetails | null {
    const { type } = event
    if (row.status !== 'active') return { entity: id, from: row.status, event: type, allowed: [], reason: 'ended' }
    const chart = this.parts.chart.at(row.chart)
    const place = { id, parent: row.parent?.id ?? null, named: this.parts.named }
    if (takes(chart, row, this.timed(event), place)) return null
    const { allowed } = chart.rest(row.value as StateValue)
    const reason = allowed.some((descriptor) => matchesDescriptor(descriptor, type)) ? 'guarded' : 'unhandled'
    return { entity: id, from: stateText(row.value as StateValue), event: type, allowed, reason }
  }

  /** One event; one that the state does not take changes nothing. Throws what the chart throws. */
  deliver(id: string, event: EventRow): void {
    this.asked((run) => run.deliver(id, event))
  }

  /** Takes an entity out, with its timers, tasks and children. */
  remove(id: string): void {
    this.asked((run) => run.remove(id))
  }

  /** The handler of the timer `delayed`. */
  onTimer({ id, n }: { readonly id: string; readonly n: number }): void {
    this.unasked(id, (run) => run.fire(id, n))
  }

  /** The handlers of every kind of task of the chart. */
  onResult({ kind, payload }: Pick<TaskRecord, 'kind' | 'payload'>, result: Value): null {
    const { entity, actor, n } = payload as TaskPayload
    this.unasked(entity, (run) => {
      const events = run.kindOf(entity, kind) === 'callback' ? (result as readonly EventRow[]) : null
      run.result(entity, { actor, n }, events === null ? { output: result } : { events })
    })
    return null
  }

  onFailed({ payload }: Pick<TaskRecord, 'payload'>, reason: string): void {
    const { entity, actor, n } = payload as TaskPayload
    this.unasked(entity, (run) => run.result(entity, { actor, n }, { reason }))
  }

  /**
   * Every entity, a step each, in the order of their ids; one that cannot be brought over leaves all as they were. One that
   * the new chart itself spawns meanwhile is of that chart already, wherever its id falls.
   */
  *migrate(
    entities: EntityRange,
    change: ((entity: MigratingEntity) => Partial<MigratingEntity>) | null,
  ): Generator<void, void> {
    const born = new Set<string>()
    for (const [id] of entities.each()) {
      if (born.has(id)) continue
      const run = new EntityRun(this.ctx, this.parts)
      run.migrate(id, (row) => (change === null ? row : changed(id, row, change)))
      run.commit()
      for (const child of run.born()) born.add(child)
      yield
    }
  }

  private asked(work: (run: EntityRun) => void): void {
    const run = new EntityRun(this.ctx, this.parts)
    work(run)
    run.commit()
  }

  /**
   * Nobody waits for the answer: whatever throws ends the entity, as an actor that throws ends. A timer does not fire again
   * and a result is told once, so what only threw would leave the entity waiting for ever.
   */
  private unasked(entity: string, work: (run: EntityRun) => void): void {
    const run = new EntityRun(this.ctx, this.parts)
    try {
      work(run)
      run.check()
    } catch (error) {
      if (isEngineError(error)) throw error
      const ending = new EntityRun(this.ctx, this.parts)
      ending.fail(entity, error)
      ending.commit()
      return
    }
    run.commit()
  }

  private timed(event: EventRow): EventRow {
    const { timeField } = this.parts
    return timeField === null ? event : { ...event, [timeField]: this.ctx.now }
  }
}

function changed(id: string, row: EntityRow, change: (entity: MigratingEntity) => Partial<MigratingEntity>): EntityRow {
  const { value, context } = row
  const { value: nextValue = value, context: nextContext = context } = change({
    id,
    chart: row.chart,
    value,
    context: bytesApart(context) as EntityRow['context'],
  })
  return { ...row, value: nextValue, context: nextContext }
}

import type { SessionInfo, TaskRecord } from '../../../session/user-machine.ts'
import type { Value } from '../../../codec/value/value.ts'
import { isEngineError } from '../../../session/run/engine-error.ts'
import type { ErrorDetails, Rejection } from '../../define/rejection.ts'
import { stateText } from '../chart/document-order.ts'
import { EntityRun } from './entity-run.ts'
import type { RunContext, RunParts } from './run-context.ts'
import type { EntityRow, EventRow } from './entity-row.ts'
import { entityView, type ErasedView } from './entity-view.ts'
import type { EntityAct, EntityCaller, MigratingEntity } from '../options.ts'
import { restored } from './step.ts'
import type { StateValue } from 'xstate'

/** The context of a handler, as far as the adapter uses it. */
export interface EntityContext extends RunContext {
  readonly session: SessionInfo
  readonly state: RunContext['state'] & {
    readonly watches: {
      set(key: readonly [string, string], row: true): void
      delete(key: readonly [string, string]): boolean
      range(bounds: {
        readonly prefix: readonly [string]
        readonly limit: number
      }): readonly (readonly [readonly [string, string], true])[]
    }
  }
  reject(code: string, details?: ErrorDetails): Rejection
}

/** What a query knows. */
export interface EntityQuery {
  readonly session: SessionInfo | null
  reject(code: string, details?: ErrorDetails): Rejection
}

/** Its tables in a query. */
export interface EntityTables {
  readonly entities: {
    get(id: string): EntityRow | undefined
    range(bounds: { readonly from?: string; readonly limit: number }): readonly (readonly [string, EntityRow])[]
  }
}

/** The context of a migration. */
export interface MigrationContext extends EntityContext {
  readonly state: EntityContext['state'] & EntityTables
}

export interface HandlerParts extends RunParts {
  readonly allow: ((caller: EntityCaller, act: EntityAct<EventRow>) => boolean) | null
}

/** What the worker of an actor was given. */
type TaskPayload = { readonly entity: string; readonly actor: string; readonly n: number }

/** The handlers behind the commands, queries, timers and tasks of an adapted chart. */
export class EntityHandlers {
  private readonly parts: HandlerParts

  constructor(parts: HandlerParts) {
    this.parts = parts
  }

  create(
    ctx: EntityContext,
    given: { readonly id: string; readonly input?: Value | undefined; readonly watch: boolean },
  ): unknown {
    const { id, input = null, watch } = given
    const refusal = this.refused(ctx, { kind: 'create', id, event: null })
    if (refusal !== null) return refusal
    if (ctx.state.entities.get(id) !== undefined) return ctx.reject('CONFLICT', { entity: id })
    const run = new EntityRun(ctx, this.parts)
    run.create(id, input, { watchers: watch ? [ctx.session.id] : [] })
    run.commit()
    if (watch) ctx.state.watches.set([ctx.session.id, id], true)
    return this.view(ctx, id)
  }

  send(ctx: EntityContext, { id, event }: { readonly id: string; readonly event: EventRow }): unknown {
    const refusal = this.refused(ctx, { kind: 'send', id, event })
    if (refusal !== null) return refusal
    const row = ctx.state.entities.get(id)
    if (row === undefined) return ctx.reject('NOT_FOUND', { entity: id })
    const invalid = this.invalid(id, row, this.timed(ctx, event))
    if (invalid !== null) return ctx.reject('INVALID_STATE_TRANSITION', invalid)
    const run = new EntityRun(ctx, this.parts)
    run.deliver(id, event)
    run.commit()
    return this.view(ctx, id)
  }

  remove(ctx: EntityContext, { id }: { readonly id: string }): unknown {
    const refusal = this.refused(ctx, { kind: 'remove', id, event: null })
    if (refusal !== null) return refusal
    const row = ctx.state.entities.get(id)
    if (row === undefined) return ctx.reject('NOT_FOUND', { entity: id })
    const run = new EntityRun(ctx, this.parts)
    run.remove(id)
    run.commit()
    for (const session of row.watchers) ctx.state.watches.delete([session, id])
    return null
  }

  watch(ctx: EntityContext, { id, on }: { readonly id: string; readonly on: boolean }): unknown {
    const refusal = this.refused(ctx, { kind: 'watch', id, event: null })
    if (refusal !== null) return refusal
    const row = ctx.state.entities.get(id)
    if (row === undefined) return ctx.reject('NOT_FOUND', { entity: id })
    const session = ctx.session.id
    const others = row.watchers.filter((watcher) => watcher !== session)
    ctx.state.entities.set(id, { ...row, watchers: on ? [...others, session] : others })
    if (on) ctx.state.watches.set([session, id], true)
    else ctx.state.watches.delete([session, id])
    return null
  }

  state({ entities }: EntityTables, id: string, query: EntityQuery): unknown {
    if (!this.mayRead(query, id)) return query.reject('FORBIDDEN', { entity: id })
    const row = entities.get(id)
    return row === undefined ? query.reject('NOT_FOUND', { entity: id }) : this.viewOf(id, row)
  }

  list(
    { entities }: EntityTables,
    given: { readonly after: string; readonly limit: number },
    query: EntityQuery,
  ): unknown {
    const { after, limit } = given
    // The first key behind `after` in byte order.
    const rows = entities.range(after === '' ? { limit } : { from: `${after}\u0000`, limit })
    const shown = rows.filter(([id]) => this.mayRead(query, id))
    return {
      entities: shown.map(([id, { status, value }]) => ({ id, status, value })),
      next: rows.length < limit ? null : (rows.at(-1)?.[0] ?? null),
    }
  }

  onTimer(ctx: EntityContext, { id, n }: { readonly id: string; readonly n: number }): void {
    this.unasked(ctx, (run) => run.fire(id, n))
  }

  onResult(ctx: EntityContext, { kind, payload }: TaskRecord, result: Value): null {
    const { entity, actor, n } = payload as TaskPayload
    this.unasked(ctx, (run) => {
      const events = run.kindOf(entity, kind) === 'callback' ? (result as readonly EventRow[]) : null
      run.result(entity, { actor, n }, events === null ? { output: result } : { events })
    })
    return null
  }

  onFailed(ctx: EntityContext, { payload }: TaskRecord, reason: string): void {
    const { entity, actor, n } = payload as TaskPayload
    this.unasked(ctx, (run) => run.result(entity, { actor, n }, { reason }))
  }

  onSessionExpired({ state }: EntityContext, { id: session }: SessionInfo): void {
    for (const [[, id]] of state.watches.range({ prefix: [session], limit: Number.MAX_SAFE_INTEGER })) {
      state.watches.delete([session, id])
      const row = state.entities.get(id)
      if (row === undefined) continue
      state.entities.set(id, { ...row, watchers: row.watchers.filter((watcher) => watcher !== session) })
    }
  }

  /** Every entity, row by row in the order of their ids; one that cannot be brought over leaves all as they were. */
  migrate(ctx: MigrationContext, change: ((entity: MigratingEntity) => Partial<MigratingEntity>) | null): void {
    for (let from = ''; ; ) {
      const page = ctx.state.entities.range(from === '' ? { limit: PAGE } : { from, limit: PAGE })
      for (const [id] of page) {
        const run = new EntityRun(ctx, this.parts)
        run.migrate(id, (row) => (change === null ? row : changed(id, row, change)))
        run.commit()
      }
      const last = page.at(-1)
      if (last === undefined || page.length < PAGE) return
      // The first key behind it in byte order.
      from = `${last[0]}\u0000`
    }
  }

  /** Nobody waits for the answer: a chart that throws ends its entity, as an actor that throws ends. */
  private unasked(ctx: EntityContext, work: (run: EntityRun) => void): void {
    const run = new EntityRun(ctx, this.parts)
    try {
      work(run)
    } catch (error) {
      if (isEngineError(error) || run.thrownBy === null) throw error
      const ending = new EntityRun(ctx, this.parts)
      ending.fail(run.thrownBy, error)
      ending.commit()
      return
    }
    run.commit()
  }

  private timed(ctx: EntityContext, event: EventRow): EventRow {
    const { timeField } = this.parts
    return timeField === null ? event : { ...event, [timeField]: ctx.now }
  }

  /** Why the present state does not take this event, or null; an ended entity takes none (the tests of X3). */
  private invalid(id: string, row: EntityRow, event: EventRow): ErrorDetails | null {
    const { type } = event
    if (row.status !== 'active') return { entity: id, from: row.status, event: type, allowed: [], reason: 'ended' }
    const chart = this.parts.chart.at(row.chart)
    const snapshot = restored(chart, row, { id, parent: row.parent?.id ?? null, named: new Set() })
    if (snapshot.can(event)) return null
    const allowed = chart.allowedEvents(snapshot)
    const reason = allowed.some((descriptor) => takes(descriptor, type)) ? 'guarded' : 'unhandled'
    return { entity: id, from: stateText(row.value as StateValue), event: type, allowed, reason }
  }

  private refused(ctx: EntityContext, act: EntityAct<EventRow>): Rejection | null {
    const { principal, roles, id: session } = ctx.session
    if (this.parts.allow?.({ principal, roles, session }, act) ?? true) return null
    return ctx.reject('FORBIDDEN', { entity: act.id })
  }

  private mayRead({ session }: EntityQuery, id: string): boolean {
    const { allow } = this.parts
    if (allow === null) return true
    if (session === null) return false
    return allow(
      { principal: session.principal, roles: session.roles, session: session.id },
      { kind: 'read', id, event: null },
    )
  }

  private view(ctx: EntityContext, id: string): ErasedView | null {
    const row = ctx.state.entities.get(id)
    return row === undefined ? null : this.viewOf(id, row)
  }

  private viewOf(id: string, row: EntityRow): ErasedView {
    return entityView(id, row, this.parts.chart.at(row.chart))
  }
}

/** Rows that a migration reads at a time. */
const PAGE = 1_000

function changed(id: string, row: EntityRow, change: (entity: MigratingEntity) => Partial<MigratingEntity>): EntityRow {
  const { value, context } = row
  const { value: nextValue = value, context: nextContext = context } = change({ id, chart: row.chart, value, context })
  return { ...row, value: nextValue, context: nextContext }
}

/** Whether a state that names `descriptor` would be asked about events of that type. */
const takes = (descriptor: string, type: string): boolean =>
  descriptor === type ||
  descriptor === '*' ||
  (descriptor.endsWith('.*') && (type === descriptor.slice(0, -2) || type.startsWith(descriptor.slice(0, -1))))

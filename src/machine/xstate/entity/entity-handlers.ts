import type { SessionInfo } from '../../../session/user-machine.ts'
import type { Value } from '../../../codec/value/value.ts'
import type { ErrorDetails, Rejection } from '../../define/rejection.ts'
import { Entities, type EntityRange } from './entities.ts'
import type { RunContext, RunParts } from './run-context.ts'
import type { EntityRow, EventRow } from './entity-row.ts'
import { entityView } from './entity-view.ts'
import type { EntityAct, EntityCaller } from '../options.ts'

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
  readonly entities: EntityRange & { get(id: string): EntityRow | undefined }
}

export interface HandlerParts extends RunParts {
  readonly allow: ((caller: EntityCaller, act: EntityAct<EventRow>) => boolean) | null
}

/** The commands and queries of an adapted chart: who may ask, who is told, and what is refused. */
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
    const entities = this.in(ctx)
    entities.create(id, input, { watchers: watch ? [ctx.session.id] : [] })
    if (watch) ctx.state.watches.set([ctx.session.id, id], true)
    return entities.view(id)
  }

  send(ctx: EntityContext, { id, event }: { readonly id: string; readonly event: EventRow }): unknown {
    const refusal = this.refused(ctx, { kind: 'send', id, event })
    if (refusal !== null) return refusal
    const entities = this.in(ctx)
    const row = entities.row(id)
    if (row === undefined) return ctx.reject('NOT_FOUND', { entity: id })
    const invalid = entities.invalid(id, row, event)
    if (invalid !== null) return ctx.reject('INVALID_STATE_TRANSITION', invalid)
    entities.deliver(id, event)
    return entities.view(id)
  }

  remove(ctx: EntityContext, { id }: { readonly id: string }): unknown {
    const refusal = this.refused(ctx, { kind: 'remove', id, event: null })
    if (refusal !== null) return refusal
    const entities = this.in(ctx)
    const row = entities.row(id)
    if (row === undefined) return ctx.reject('NOT_FOUND', { entity: id })
    entities.remove(id)
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
    return row === undefined
      ? query.reject('NOT_FOUND', { entity: id })
      : entityView(id, row, this.parts.chart.at(row.chart))
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

  onSessionExpired({ state }: EntityContext, { id: session }: SessionInfo): void {
    for (const [[, id]] of state.watches.range({ prefix: [session], limit: Number.MAX_SAFE_INTEGER })) {
      state.watches.delete([session, id])
      const row = state.entities.get(id)
      if (row === undefined) continue
      state.entities.set(id, { ...row, watchers: row.watchers.filter((watcher) => watcher !== session) })
    }
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

  private in(ctx: EntityContext): Entities {
    return new Entities(ctx, this.parts)
  }
}

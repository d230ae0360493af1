import { unreachable } from '../../../base/assert.ts'
import type { SessionId } from '../../../base/brand.ts'
import type { Value } from '../../../codec/value/value.ts'
import { isEngineError } from '../../../session/run/engine-error.ts'
import type { ActorKind } from '../chart/actor-kind.ts'
import type { Chart } from '../chart/chart.ts'
import { bytesApart } from '../chart/plain-value.ts'
import { EntityDraft, type ResolvedEffect } from './entity-draft.ts'
import type { EntityRow, ErrorRow, EventRow, TargetRow } from './entity-row.ts'
import type { RunContext, RunParts } from './run-context.ts'
import type { Effect } from './effects.ts'
import { migrateEntity } from './migrate-entity.ts'
import { checkSent } from './sent-size.ts'
import { firstStep, nextStep, type Step } from './step.ts'
import type { StepPlace } from './window.ts'

/** Steps that one entry may take over all its entities: a ring of entities that write to each other would stop the node. */
const STEPS_MAX = 1_000

/** What a worker gave: the output of a promise, the events of a callback, or why it failed. */
export interface WorkResult {
  readonly output?: Value
  readonly events?: readonly EventRow[]
  readonly reason?: string
}

/** What is sent to clients, in order. */
type Output = { readonly root: string; readonly type: 'emitted' | 'action'; readonly payload: Value }

/** A step of an entity, with whom its effects concern. */
type Move = Pick<Step, 'part'> & { readonly effects: readonly ResolvedEffect[] }

/**
 * Everything that one event does to entities, as a system of actors would do it: an entity that is idle takes an event at
 * once, one that is at work when it is done. Nothing is written before `commit`, so a chart that throws changes nothing.
 */
export class EntityRun {
  private readonly context: RunContext
  private readonly parts: RunParts
  private readonly drafts = new Map<string, EntityDraft>()
  private readonly outputs: Output[] = []
  private steps = 0

  constructor(context: RunContext, parts: RunParts) {
    this.context = context
    this.parts = parts
  }

  find(id: string): EntityDraft | null {
    const known = this.drafts.get(id)
    if (known !== undefined) return known.removed ? null : known
    const row = this.context.state.entities.get(id)
    if (row === undefined) return null
    const draft = new EntityDraft(id, row, this.parts.chart)
    this.drafts.set(id, draft)
    return draft
  }

  /** A new entity and its first step. Throws what the chart throws. */
  create(id: string, input: Value, { watchers }: { readonly watchers: readonly SessionId[] }): void {
    const { chart } = this.parts
    const draft = EntityDraft.begin(id, chart, { watchers, parent: null, chart: chart.path, replaced: null })
    const step = this.guarded(draft, () => this.first(chart, input, this.place(id, null)))
    if (step !== null) this.start(draft, step)
  }

  /** One event to one entity; lost when it has ended, as it is in an actor. Throws what the chart of a root throws. */
  deliver(id: string, event: EventRow): void {
    const draft = this.find(id)
    if (draft === null || draft.status !== 'active') return
    draft.mailbox.push(event)
    if (draft.busy) return
    draft.busy = true
    for (let next = draft.mailbox.shift(); next !== undefined; next = draft.mailbox.shift()) this.take(draft, next)
    draft.busy = false
  }

  /** A delayed event whose time has come. */
  fire(id: string, n: number): void {
    const draft = this.find(id)
    const timer = draft?.takeTimer(n) ?? null
    if (draft === null || timer === null) return
    this.send(draft, bytesApart(timer.event) as EventRow, timer.to)
  }

  /** The kind of an actor's logic in the chart of an entity; null when the entity is gone. */
  kindOf(id: string, src: string): ActorKind | null {
    return this.find(id)?.chart.kindOf(src) ?? null
  }

  /** What became of the work of an actor; dropped when the entity runs another incarnation, or none (the tests of X8). */
  result(id: string, { actor, n }: { readonly actor: string; readonly n: number }, given: WorkResult): void {
    const draft = this.find(id)
    const row = draft?.actors[actor]
    if (draft === null || row === undefined || row.n !== n || row.ended) return
    draft.ended(actor)
    if (given.events !== undefined) {
      for (const event of given.events) if (draft.actors[actor]?.n === n) this.deliver(id, event)
      return
    }
    const { output, reason } = given
    if (reason === undefined) {
      this.deliver(id, { type: `xstate.done.actor.${actor}`, actorId: actor, output: output ?? null })
      return
    }
    const error = { name: 'Error', message: reason }
    this.deliver(id, { type: `xstate.error.actor.${actor}`, actorId: actor, error })
  }

  /**
   * Ends the entity without a parent that `id` belongs to with what was thrown, where nobody waits for an answer that could
   * be refused.
   */
  fail(id: string, error: unknown): void {
    const draft = this.find(rootOf(id))
    if (draft === null || draft.status !== 'active') return
    draft.fail(errorRow(error))
    this.end(draft)
  }

  /** Takes an entity out, with everything that it armed, queued and spawned. */
  remove(id: string): void {
    const draft = this.find(id)
    if (draft === null) return
    for (const [actor, { kind }] of Object.entries(draft.actors)) if (kind === 'entity') this.remove(childId(id, actor))
    draft.remove()
  }

  /** Brings one entity to a new version of its chart. */
  migrate(id: string, change: (row: EntityRow) => EntityRow): void {
    const draft = this.find(id)
    if (draft === null || draft.status !== 'active') return
    const { part, dropped, armed, effects } = migrateEntity(draft.chart, change(draft.row()), this.context)
    draft.disarm(dropped)
    for (const timer of armed) draft.arm(timer)
    this.follow(draft, { part, effects: draft.resolve({ part, effects }) })
  }

  /**
   * Throws for what `commit` would be refused with. After a refusal the session layer drops the whole transaction, so whoever
   * wants to end the entity instead has to ask before.
   */
  check(): void {
    for (const draft of this.drafts.values()) draft.check()
    for (const { payload } of this.outputs) checkSent(payload)
  }

  /** Ids of entities that this run made, or made anew. */
  born(): readonly string[] {
    return [...this.drafts.values()].filter(({ fresh }) => fresh).map(({ id }) => id)
  }

  /** Writes rows, timers, tasks and server requests. */
  commit(): void {
    const { context } = this
    for (const draft of this.drafts.values()) draft.commit(context)
    for (const { root, type, payload } of this.outputs) {
      const watchers = this.find(root)?.watchers ?? []
      // One that is no more takes nothing.
      for (const session of watchers) context.emit(session, type, payload)
    }
  }

  private take(draft: EntityDraft, event: EventRow): void {
    if (draft.status !== 'active') return
    const { id, parent } = draft
    const { timeField } = this.parts
    const timed = timeField === null ? event : { ...event, [timeField]: this.context.now }
    const step = this.guarded(draft, () => nextStep(draft.chart, draft.row(), timed, this.place(id, parent)))
    if (step !== null) this.follow(draft, step)
  }

  /** What a child throws is its parent's to handle; what a root throws is the caller's. */
  private guarded(draft: EntityDraft, run: () => Step): Move | null {
    this.steps += 1
    if (this.steps > STEPS_MAX)
      throw new Error(`one event took more than ${STEPS_MAX} steps over entities; is there a ring?`)
    try {
      const step = run()
      return { part: step.part, effects: draft.resolve(step) }
    } catch (error) {
      if (draft.parent === null || isEngineError(error)) throw error
      draft.fail(errorRow(error))
      this.end(draft)
      return null
    }
  }

  private start(draft: EntityDraft, step: Move): void {
    this.drafts.set(draft.id, draft)
    draft.busy = true
    this.follow(draft, step)
    for (let next = draft.mailbox.shift(); next !== undefined; next = draft.mailbox.shift()) this.take(draft, next)
    draft.busy = false
  }

  private follow(draft: EntityDraft, { part, effects }: Move): void {
    draft.part = part
    for (const { effect } of effects) this.now(draft, effect)
    for (const effect of effects) this.later(draft, effect)
    if (draft.status !== 'active') this.end(draft)
  }

  /** What an actor does while it takes the event. */
  private now(draft: EntityDraft, effect: Effect): void {
    const { id } = draft
    const root = rootOf(id)
    if (effect.kind === 'emit') {
      this.outputs.push({ root, type: 'emitted', payload: { entity: id, event: effect.event } })
    } else if (effect.kind === 'action' && this.parts.actions.get(effect.action) === 'request') {
      const { action, params } = effect
      this.outputs.push({ root, type: 'action', payload: { entity: id, action, params } })
    } else if (effect.kind === 'log') {
      this.context.log(effect.label ?? 'log', { entity: id, value: effect.value })
    }
  }

  /** What it does when it has its new state, in order. */
  private later(draft: EntityDraft, { effect, actor, to }: ResolvedEffect): void {
    const { now } = this.context
    switch (effect.kind) {
      case 'delay': {
        const { id, event, ms } = effect
        if (to !== null) draft.arm({ id, event, to, armedAt: now, dueAt: now + Math.ceil(ms) })
        return
      }
      case 'cancel':
        draft.cancel(effect.id)
        return
      case 'send':
        if (to !== null) this.send(draft, effect.event, to)
        return
      case 'spawn':
        // One that was stopped within the same step never starts.
        if (draft.actors[effect.id]?.n === actor?.n) this.spawn(draft, effect)
        return
      case 'stop':
        if (actor?.kind === 'entity') this.remove(childId(draft.id, effect.id))
        return
      case 'emit':
      case 'action':
      case 'log':
        return
      default:
        unreachable(effect)
    }
  }

  private send(draft: EntityDraft, event: EventRow, to: TargetRow): void {
    switch (to.kind) {
      case 'self':
        this.deliver(draft.id, event)
        return
      case 'parent':
        if (draft.parent !== null) this.deliver(draft.parent.id, event)
        return
      case 'actor':
        if (draft.actors[to.id]?.n === to.n && draft.actors[to.id]?.kind === 'entity') {
          this.deliver(childId(draft.id, to.id), event)
        }
        return
      default:
        unreachable(to)
    }
  }

  private spawn(draft: EntityDraft, { id: actor, src, input }: Extract<Effect, { kind: 'spawn' }>): void {
    const row = draft.actors[actor]
    if (row === undefined || row.kind === 'task') return
    const id = childId(draft.id, actor)
    const parent = { id: draft.id, actor, n: row.n }
    // One of the same id that has ended.
    this.remove(id)
    const replaced = this.drafts.get(id) ?? null
    const chart = [...draft.chart.path, src]
    const child = EntityDraft.begin(id, this.parts.chart, { watchers: [], parent, chart, replaced })
    this.drafts.set(id, child)
    const step = this.guarded(child, () => this.first(child.chart, input, this.place(id, child.parent)))
    if (step !== null) this.start(child, step)
  }

  private end(draft: EntityDraft): void {
    const { parent, part } = draft
    for (const [actor, { kind }] of Object.entries(draft.actors)) {
      if (kind === 'entity') this.remove(childId(draft.id, actor))
    }
    draft.end()
    if (parent === null) return
    const { actor } = parent
    const above = this.find(parent.id)
    if (above?.actors[actor]?.n !== parent.n) return
    above.ended(actor)
    const output = part.output === null ? {} : { output: part.output }
    if (part.status === 'done')
      this.deliver(parent.id, { type: `xstate.done.actor.${actor}`, actorId: actor, ...output })
    if (part.status === 'error') {
      this.deliver(parent.id, { type: `xstate.error.actor.${actor}`, actorId: actor, error: part.error })
    }
  }

  private first(chart: Chart, input: Value, place: StepPlace): Step {
    const { timeField } = this.parts
    if (timeField === null) return firstStep(chart, input, place)
    if (input !== null && (typeof input !== 'object' || Array.isArray(input) || input instanceof Uint8Array)) {
      throw new Error(`the input of ${place.id} is no object: the time could not be put into its field ${timeField}`)
    }
    return firstStep(chart, { ...input, [timeField]: this.context.now }, place)
  }

  private place(id: string, parent: EntityRow['parent']): StepPlace {
    return { id, parent: parent?.id ?? null, named: this.parts.named }
  }
}

/** Ids of children hang below their parent's; a client's own have no slash. */
const childId = (parent: string, actor: string): string => `${parent}/${actor}`
const rootOf = (id: string): string => id.split('/', 1)[0] ?? id

/** Errors that the engine makes have texts that differ between its builds: of them the name alone is kept. */
function errorRow(error: unknown): ErrorRow & { readonly [field: string]: Value } {
  if (!(error instanceof Error)) return { name: 'Error', message: typeof error === 'string' ? error : 'thrown' }
  const own = ![TypeError, RangeError, ReferenceError, SyntaxError].some((engine) => error instanceof engine)
  // XState puts the text of a guard's error behind a line of its own.
  return { name: error.name, message: own ? (error.message.split(':\n', 1)[0] ?? '') : '' }
}

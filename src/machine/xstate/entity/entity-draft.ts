import type { StateValue } from 'xstate'
import { unreachable } from '../../../base/assert.ts'
import type { SessionId } from '../../../base/brand.ts'
import type { Value } from '../../../codec/value/value.ts'
import type { Chart } from '../chart/chart.ts'
import type { Effect, Target } from './effects.ts'
import type { NewTimer } from './migrate-entity.ts'
import type { RunContext } from './run-context.ts'
import type { ActorRow, EntityRow, ErrorRow, EventRow, TargetRow, TimerRow } from './entity-row.ts'
import { checkSent, sizeOf } from './sent-size.ts'
import type { SnapshotPart, Step } from './step.ts'

const UNBORN: SnapshotPart = { status: 'active', value: {}, context: {}, history: {}, output: null, error: null }

/** Entities inside each other: a chart that invokes itself without end would fill the engine's stack. */
const NESTED_MAX = 32

/** One entity while a run is at work on it. */
export class EntityDraft {
  readonly id: string
  readonly parent: EntityRow['parent']
  readonly mailbox: EventRow[] = []
  busy = false
  removed = false
  part: SnapshotPart
  watchers: readonly SessionId[]
  actors: { readonly [id: string]: ActorRow }
  private timers: readonly TimerRow[]
  private n: number
  private readonly before: EntityRow | null
  private readonly begun: boolean
  private readonly path: EntityRow['chart']
  private known: Chart | null = null
  private readonly root: Chart

  /** `root`: the chart that is mounted. */
  constructor(id: string, row: EntityRow, root: Chart, before: EntityRow | null = row) {
    this.begun = before !== row
    this.id = id
    this.root = root
    this.path = row.chart
    this.before = before
    this.parent = row.parent
    this.part = row
    this.watchers = row.watchers
    this.actors = row.actors
    this.timers = row.timers
    this.n = row.n
  }

  /** A new one. `replaced` is one of the same id that was removed in this run: its numbers are not given again. */
  static begin(
    id: string,
    root: Chart,
    given: Pick<EntityRow, 'watchers' | 'parent' | 'chart'> & { readonly replaced: EntityDraft | null },
  ): EntityDraft {
    const { watchers, parent, chart, replaced } = given
    const row = { ...UNBORN, watchers, parent, chart, timers: [], actors: {}, n: replaced?.n ?? 0 }
    return new EntityDraft(id, row, root, replaced?.before ?? null)
  }

  /** Sought when it is asked for: a chart that has dropped a child's still takes the child out. */
  get chart(): Chart {
    this.known ??= this.root.at(this.path)
    return this.known
  }

  /** It was not there before this run, or another one under its id was. */
  get fresh(): boolean {
    return this.begun
  }

  get status(): EntityRow['status'] {
    return this.part.status
  }

  /** The row before as it is, where nothing has changed: then it is not written again. */
  row(): EntityRow {
    const { status, value, context, history, output, error } = this.part
    const { path, timers, actors, n, parent, watchers } = this
    const row = {
      chart: path,
      status,
      value,
      context,
      history,
      output,
      error,
      timers,
      actors,
      n,
      parent,
      watchers,
    }
    return this.before !== null && isSame(this.before, row) ? this.before : row
  }

  /**
   * The effects of a step, each with the incarnation of the actor that it means: a state that is entered again stops an actor
   * and spawns another of the same id. What is sent before the actor is there is for the one to come.
   */
  resolve({ part, effects }: Step): readonly ResolvedEffect[] {
    const value = part.value as StateValue
    const resolved = effects.map((effect): ResolvedEffect => {
      switch (effect.kind) {
        case 'spawn':
          return { effect, actor: this.add(effect, value), to: SELF }
        case 'stop':
          return { effect, actor: this.drop(effect.id), to: SELF }
        case 'send':
        case 'delay':
          return { effect, actor: null, to: this.target(effect) }
        case 'cancel':
        case 'emit':
        case 'action':
        case 'log':
          return { effect, actor: null, to: SELF }
        default:
          return unreachable(effect)
      }
    })
    return resolved.map((one) =>
      one.to === null && 'to' in one.effect ? { ...one, to: this.target(one.effect) } : one,
    )
  }

  arm(given: NewTimer): void {
    this.n += 1
    const others = this.timers.map((timer) => (timer.id === given.id ? { ...timer, held: false } : timer))
    const state = this.chart.waiting(given.event.type)
    this.timers = [...others, { ...given, n: this.n, held: given.id !== null, state, fired: false }]
  }

  cancel(id: string): void {
    this.timers = this.timers.filter((timer) => timer.id !== id || !timer.held)
  }

  /** A timer fires. `cancel` reaches no other of its id any more, as in an actor (the tests of X17). */
  takeTimer(n: number): TimerRow | null {
    const taken = this.timers.find((timer) => timer.n === n && !timer.fired) ?? null
    if (taken === null) return null
    this.timers = this.timers.flatMap((timer) => {
      if (timer === taken) return taken.state === null ? [] : [{ ...taken, fired: true }]
      return [timer.id === taken.id ? { ...timer, held: false } : timer]
    })
    return taken
  }

  /** Timers that nothing waits for any more. */
  disarm(timers: readonly TimerRow[]): void {
    this.timers = this.timers.filter(({ n }) => !timers.some((timer) => timer.n === n))
  }

  /** The result or the end of an actor was taken. */
  ended(actor: string): void {
    const row = this.actors[actor]
    if (row !== undefined) this.actors = { ...this.actors, [actor]: { ...row, ended: true } }
  }

  fail(error: ErrorRow & { readonly [field: string]: Value }): void {
    this.part = { ...this.part, status: 'error', error }
  }

  /** Nothing is delivered to it any more. */
  end(): void {
    this.mailbox.length = 0
    this.timers = []
    this.actors = {}
  }

  remove(): void {
    this.removed = true
    this.end()
  }

  /** Throws for what `commit` would be refused with. */
  check(): void {
    if (this.removed) return
    sizeOf(this.row())
    for (const { kind, task, ended, input } of Object.values(this.actors)) {
      if (kind === 'task' && task === null && !ended) checkSent(input)
    }
  }

  /** Writes the row, and makes timers and tasks those of the row. */
  commit(context: RunContext): void {
    const before = this.before ?? { timers: [], actors: {} }
    for (const { n, fired } of before.timers) {
      if (!fired && !this.timers.some((timer) => timer.n === n)) context.cancel('delayed', timerKey(this.id, n))
    }
    const kept = new Set(Object.values(this.actors).map(({ task }) => task))
    for (const { task, ended } of Object.values<ActorRow>(before.actors)) {
      if (task !== null && !ended && !kept.has(task)) context.cancelTask(task)
    }
    if (this.removed) {
      if (this.before !== null) context.state.entities.delete(this.id)
      return
    }
    for (const { n, dueAt, fired } of this.timers) {
      const known = fired || before.timers.some((timer) => timer.n === n)
      if (!known) context.schedule('delayed', dueAt, { id: this.id, n }, timerKey(this.id, n))
    }
    for (const [id, row] of Object.entries(this.actors)) {
      const queued = this.queued(context, id, row)
      if (queued !== row) this.actors = { ...this.actors, [id]: queued }
    }
    const row = this.row()
    if (row !== this.before) context.state.entities.set(this.id, row)
  }

  private queued(context: RunContext, id: string, row: ActorRow): ActorRow {
    const { kind, task, ended, src, input, n } = row
    if (kind !== 'task' || task !== null || ended) return row
    return { ...row, task: context.task(src, this.id, { entity: this.id, actor: id, n, input }) }
  }

  private add({ id, src, input }: Extract<Effect, { kind: 'spawn' }>, value: StateValue): ActorRow {
    // XState would forget the one that runs, and let it run on.
    if (this.actors[id]?.ended === false) {
      throw new Error(`an actor ${id} is there already; stop it first, or give each an id of its own`)
    }
    this.n += 1
    const kind = this.chart.kindOf(src) === 'machine' ? 'entity' : 'task'
    if (kind === 'entity' && this.path.length >= NESTED_MAX) {
      throw new Error(`${id} would be inside more than ${NESTED_MAX} entities; does a chart invoke itself without end?`)
    }
    const { nodes } = this.chart.rest(value)
    const invoked = nodes.some(({ invoke }) => invoke.some((one) => one.id === id))
    const row: ActorRow = { n: this.n, src, kind, input, task: null, invoked, ended: false }
    this.actors = { ...this.actors, [id]: row }
    return row
  }

  private drop(id: string): ActorRow | null {
    const { [id]: dropped = null, ...others } = this.actors
    this.actors = others
    return dropped
  }

  /**
   * Null for an actor that is still to be spawned. A task takes no events: a promise ignores them, and what a callback would
   * hear has to be its input.
   */
  private target({ to, event }: { readonly to: Target; readonly event: EventRow }): TargetRow | null {
    if (to.kind !== 'actor') return to
    const row = this.actors[to.id]
    if (row === undefined) return null
    if (!row.ended && this.chart.kindOf(row.src) === 'callback') {
      throw new Error(`${event.type} is sent to ${to.id}, a callback: a worker hears no events; give it as its input`)
    }
    return { kind: 'actor', id: to.id, n: row.n }
  }
}

/** An effect with whom it concerns. */
export interface ResolvedEffect {
  readonly effect: Effect
  /** Of a spawn or stop. */
  readonly actor: ActorRow | null
  /** Of an event; null when its actor is gone. */
  readonly to: TargetRow | null
}

/** A chart changes with the parent, in one that takes the place of another. */
const PARTS = [
  'status',
  'value',
  'context',
  'history',
  'output',
  'error',
  'timers',
  'actors',
  'n',
  'parent',
  'watchers',
] as const

const isSame = (before: EntityRow, row: EntityRow): boolean => PARTS.every((part) => before[part] === row[part])

const SELF: TargetRow = { kind: 'self' }

/** Numbers of one width, so that timers that fall due together fire in the order in which they were armed. */
const timerKey = (id: string, n: number): string => `${id}/${String(n).padStart(10, '0')}`

import type { AnyStateMachine } from 'xstate'
import { z } from 'zod'
import type { Value } from '../../codec/value/value.ts'
import type { TaskRecord } from '../../session/user-machine.ts'
import type { Description } from '../define/describe-schema.ts'
import { type TableSchema, tableSharingBytes } from '../define/schema.ts'
import { Chart } from './chart/chart.ts'
import { chartLogic, chartSource, optionsLogic } from './chart/chart-text.ts'
import { tasksOf, worksOf } from './chart/work.ts'
import { Entities, type EntityRange } from './entity/entities.ts'
import { entityRow, type EntityRow, type EventRow } from './entity/entity-row.ts'
import type { ChartContext, RunContext, RunParts } from './entity/run-context.ts'
import type { MigratingEntity, XStateOptions } from './options.ts'
import type { XStateSchema } from './xstate-machine.ts'

/** Options of `chartEntities`, as in `fromXState`. */
export interface ChartOptions<Machine extends AnyStateMachine>
  extends Pick<XStateOptions<Machine, string, string>, 'actions' | 'work'> {
  /** Null: no field. */
  readonly timeField?: string | null
}

/** What a machine with a chart in it declares, each group to be spread into the same group of its schema. */
export type ChartSchema<Machine extends AnyStateMachine> = Pick<
  XStateSchema<Machine>,
  'requests' | 'timers' | 'tasks'
> & {
  // Not by way of XStateSchema<Machine>: the compiler would write that parameter into declarations that have none.
  readonly state: { readonly entities: TableSchema<string, EntityRow> }
  /** The chart itself: part of the machine's fingerprint. */
  readonly logic: Description
}

/** What a machine with a chart in it does, each group to be spread into the same group of its behaviour. */
export interface ChartBehaviour<Machine extends AnyStateMachine> {
  /** A handler of one's own may call `in(ctx).onTimer` and look at what came of it. */
  readonly timers: { delayed(ctx: ChartContext, payload: { readonly id: string; readonly n: number }): void }
  readonly tasks: {
    readonly [Src in keyof XStateSchema<Machine>['tasks']]: {
      onResult(ctx: ChartContext, task: Pick<TaskRecord, 'kind' | 'payload'>, result: unknown): null
      onFailed(ctx: ChartContext, task: Pick<TaskRecord, 'payload'>, reason: string): void
    }
  }
  /** Texts of the chart's functions, for the fingerprint of the code. */
  readonly source: string
}

/** The context of a migration, which reads entities in the order of their ids. */
export interface MigrationContext extends ChartContext {
  readonly state: ChartContext['state'] & { readonly entities: EntityRange }
}

/** The entities of a chart as a part of a machine of one's own. */
export interface ChartEntities<Machine extends AnyStateMachine> {
  readonly schema: ChartSchema<Machine>
  readonly behaviour: ChartBehaviour<Machine>
  /** The entities inside one handler, whose context it is: valid as long as that is. */
  in(ctx: ChartContext): Entities
  /**
   * For `migrations`, which return these steps or `yield*` them: brings every active entity to this version of the chart, as
   * `migrate` of `fromXState` does.
   */
  migrate(
    ctx: MigrationContext,
    change: ((entity: MigratingEntity) => Partial<MigratingEntity>) | null,
  ): Generator<void, void>
  /** The chart, checked and made fit for replicas. */
  readonly parts: RunParts
}

/**
 * An XState machine *inside* a machine of the kit: the chart's entities as a table, a timer and tasks beside others, stepped
 * from commands of one's own. `fromXState` is this with commands that are the same for every chart. Refuses a chart that
 * cannot be replicated: `ChartError`, with every place and the way out.
 */
export function chartEntities<Machine extends AnyStateMachine>(
  machine: Machine,
  { actions = {}, work = {}, timeField = null }: ChartOptions<Machine> = {},
): ChartEntities<Machine> {
  const named = new Set(Object.keys(actions))
  const chart = new Chart(machine, { actions: named })
  const parts: RunParts = { chart, actions: new Map(Object.entries(actions)), named, timeField }
  // The machine's schema holds the one below.
  const inside = (ctx: ChartContext): Entities => new Entities(ctx as unknown as RunContext, parts)
  const schema = {
    logic: [chartLogic(machine), optionsLogic({ actions, timeField })],
    // What a chart keeps and what it is given are copies.
    state: { entities: tableSharingBytes(z.string(), entityRow) },
    requests: {
      emitted: z.object({ entity: z.string(), event: z.custom<EventRow>() }),
      action: z.object({ entity: z.string(), action: z.string(), params: z.unknown() }),
    },
    timers: { delayed: z.object({ id: z.string(), n: z.int() }) },
    tasks: tasksOf(machine, work),
  }
  const handlers = {
    onResult: (ctx: ChartContext, task: TaskRecord, result: Value) => inside(ctx).onResult(task, result),
    onFailed: (ctx: ChartContext, task: TaskRecord, reason: string) => inside(ctx).onFailed(task, reason),
  }
  const behaviour = {
    timers: {
      delayed: (ctx: ChartContext, payload: { readonly id: string; readonly n: number }) =>
        inside(ctx).onTimer(payload),
    },
    tasks: Object.fromEntries(worksOf(machine).map(({ src }) => [src, handlers])),
    source: chartSource(machine),
  }
  return {
    // Names and types of the chart's own work: the same schemas and handlers stand for every chart.
    schema: schema as unknown as ChartSchema<Machine>,
    behaviour: behaviour as unknown as ChartBehaviour<Machine>,
    in: inside,
    migrate: (ctx, change) => inside(ctx).migrate(ctx.state.entities, change),
    parts,
  }
}

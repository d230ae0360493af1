import type { AnyStateMachine } from 'xstate'
import { z } from 'zod'
import type { Value } from '../../codec/value/value.ts'
import type { SessionInfo } from '../../session/user-machine.ts'
import { command, query } from '../define/command.ts'
import { defineMachine } from '../define/define-machine.ts'
import { table } from '../define/schema.ts'
import { chartGraphs } from './chart/chart-graph.ts'
import { type ChartEntities, chartEntities, type MigrationContext } from './chart-entities.ts'
import {
  EntityHandlers,
  type EntityContext,
  type EntityQuery,
  type EntityTables,
  type HandlerParts,
} from './entity/entity-handlers.ts'
import type { EventRow } from './entity/entity-row.ts'
import type { XStateOptions } from './options.ts'
import { chartWarnings } from './chart/chart-warnings.ts'
import { optionsLogic } from './chart/chart-text.ts'
import { eventSchema, inputSchema } from './event-schema.ts'
import type { XStateMachine } from './xstate-machine.ts'

const OWN_ID = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[^/]+$/)
const ANY_ID = z.string().min(1).max(1_024)

/**
 * An XState machine as a machine of this kit: one row per entity, one transaction per event, timers that outlive the node,
 * work for workers in place of promises (machines.md §4). Refuses a chart that cannot be replicated: `ChartError`, with every
 * place and the way out.
 */
export function fromXState<
  Machine extends AnyStateMachine,
  const Name extends string,
  const Time extends string = never,
>(machine: Machine, options: XStateOptions<Machine, Name, Time>): XStateMachine<Name, Machine, Time> {
  const { name, version, timeField = null, allow = null } = options
  const charts: ChartEntities<AnyStateMachine> = chartEntities<AnyStateMachine>(machine, { ...options, timeField })
  // The event was parsed by the schema of the chart's own events.
  const handlers = new EntityHandlers({ ...charts.parts, allow: allow as HandlerParts['allow'] })
  const definition = defineMachine(
    name,
    {
      ...charts.schema,
      version,
      graphs: chartGraphs(name, machine),
      logic: [charts.schema.logic, optionsLogic({ allow: options.allow, migrate: options.migrate })],
      state: { ...charts.schema.state, watches: table(z.tuple([z.string(), z.string()]), z.literal(true)) },
    },
    behaviourOf(handlers, {
      event: eventSchema(options.event ?? null, timeField),
      // Plain data, as everything that a client sends.
      input: inputSchema(options.input ?? null, timeField) as unknown as z.ZodType<Value>,
      migrations: version === 1 ? {} : { [version]: (ctx) => charts.migrate(ctx, options.migrate ?? null) },
      charts,
      source: [charts.behaviour.source, ...[options.allow, options.migrate].map(String)].join('\n'),
      warnings: chartWarnings(machine),
    }),
  )
  // Types of the chart: the kit runs the same handlers for every chart.
  return definition as unknown as XStateMachine<Name, Machine, Time>
}

interface BehaviourParts {
  readonly event: z.ZodType<EventRow>
  readonly input: z.ZodType<Value>
  readonly migrations: { readonly [version: number]: (ctx: MigrationContext) => Iterator<void, void, undefined> }
  readonly charts: ChartEntities<AnyStateMachine>
  readonly source: string
  readonly warnings: readonly string[]
}

/** The handlers are written once for all charts, so the kit's types, which follow a schema, are left here and only here. */
function behaviourOf(
  handlers: EntityHandlers,
  { event, input, migrations, charts, source, warnings }: BehaviourParts,
): Behaviour {
  const id = ANY_ID
  const plain = z.unknown()
  type Ctx = EntityContext
  const behaviour = {
    ...charts.behaviour,
    source,
    warnings,
    migrations,
    commands: {
      create: command(
        { input: z.object({ id: OWN_ID, input, watch: z.boolean().default(false) }), output: plain },
        (ctx: Ctx, given) => handlers.create(ctx, given),
      ),
      send: command({ input: z.object({ id, event }), output: plain }, (ctx: Ctx, given) => handlers.send(ctx, given)),
      remove: command({ input: z.object({ id: OWN_ID }), output: plain }, (ctx: Ctx, given) =>
        handlers.remove(ctx, given),
      ),
      watch: command(
        { input: z.object({ id: OWN_ID, on: z.boolean().default(true) }), output: plain },
        (ctx: Ctx, given) => handlers.watch(ctx, given),
      ),
    },
    queries: {
      state: query({ input: id, output: plain }, (view: EntityTables, given, ctx: EntityQuery) =>
        handlers.state(view, given, ctx),
      ),
      list: query(
        {
          input: z.object({ after: z.string().default(''), limit: z.int().min(1).max(1_000).default(100) }),
          output: plain,
        },
        (view: EntityTables, given, ctx: EntityQuery) => handlers.list(view, given, ctx),
      ),
    },
    onSessionExpired: (ctx: Ctx, session: SessionInfo) => handlers.onSessionExpired(ctx, session),
  }
  return behaviour as unknown as Behaviour
}

type Behaviour = Parameters<typeof defineMachine>[2]

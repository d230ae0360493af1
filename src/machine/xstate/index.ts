export { chartPaths, type ChartPath, type ChartPaths, type ChartPathsOptions } from './chart-paths.ts'
export { ChartError, type ChartIssue, type ChartIssueCode } from './chart/chart-error.ts'
export { chartGraphs } from './chart/chart-graph.ts'
export {
  chartEntities,
  type ChartBehaviour,
  type ChartEntities,
  type ChartOptions,
  type ChartSchema,
  type MigrationContext,
} from './chart-entities.ts'
export type { Entities, EntityRange } from './entity/entities.ts'
export type { ActorRow, EntityRow, EventRow, TargetRow, TimerRow } from './entity/entity-row.ts'
export type { ErasedView } from './entity/entity-view.ts'
export type { ChartContext, RunParts } from './entity/run-context.ts'
export { fromXState } from './from-xstate.ts'
export type {
  ClientEvent,
  EmittedEvent,
  EntityAct,
  EntityCaller,
  EntityView,
  MigratingEntity,
  WithoutTime,
  WorkOptions,
  XStateOptions,
} from './options.ts'
export type {
  EntityPage,
  WorkPayload,
  XStateCommands,
  XStateMachine,
  XStateQueries,
  XStateSchema,
} from './xstate-machine.ts'

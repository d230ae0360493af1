export { ChartError, type ChartIssue, type ChartIssueCode } from './chart/chart-error.ts'
export type { ActorRow, EntityRow, EventRow, TargetRow, TimerRow } from './entity/entity-row.ts'
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

export { bare, type BareMachine, type BareOptions } from './define/bare.ts'
export {
  command,
  query,
  type CodesOf,
  type Command,
  type CommandRef,
  type InputOf,
  type InputOutput,
  type OutputOf,
  type Query,
  type QueryRef,
  type RefusesWith,
} from './define/command.ts'
export type {
  Context,
  KitScheduleDefinition,
  KitSchedules,
  KitWaitOptions,
  OnceOutcome,
  OnceRequest,
  QueryContext,
  Reject,
  Tables,
  TableViews,
} from './define/context.ts'
export {
  defineMachine,
  type AnyCommand,
  type AnyQuery,
  type CommandRefs,
  type ContextOf,
  type EndedKitWait,
  type KitScheduleRun,
  type MachineBehaviour,
  type MachineDefinition,
  type QueryRefs,
  type TaskHandlers,
  type TypedTask,
} from './define/define-machine.ts'
export type { Description } from './define/describe-schema.ts'
export { domainEvents, on, type DomainEvents, type Subscription } from './define/events.ts'
export { descriptionOf, identityOf, type MachineIdentity } from './define/identity.ts'
export { isOwned } from './define/own-machines.ts'
export { SYSTEM_SESSION } from './run/kit-context.ts'
export { EVENTS_MAX } from './run/event-queue.ts'
export {
  INDEX_FIELDS_MAX,
  TABLE_INDEXES_MAX,
  type IndexedField,
  type IndexedValue,
  type IndexesOn,
  type NoIndexes,
  type TableIndexes,
} from './define/indexes.ts'
export { tablesOf, type TablesRef } from './define/tables-of.ts'
export { CALL_DEPTH_MAX, mount, type Mount, type Mountable } from './run/mount.ts'
export { TASK_MACHINE } from '../session/tables/tasks.ts'
export type {
  InputIssue,
  ParsedCommand,
  ParsedQuery,
  ParseFailure,
  ParseFailureCode,
} from './parse/input-parser.ts'
export { type Forgotten, isForgotten, type Opened, type Personal, personal } from './personal/personal.ts'
export type { FieldSealer, SealRefusal } from './personal/seal-fields.ts'
export type { Refusal, RefusalsOf, RejectDetails } from './define/refusal.ts'
export {
  COMMON_ERRORS,
  describeRejection,
  isRejection,
  Rejection,
  type CommonErrorCode,
  type ErrorDetails,
} from './define/rejection.ts'
export {
  table,
  tableSharingBytes,
  task,
  type ErrorsOf,
  type EventsOf,
  type Frozen,
  type IndexesOf,
  type KeyOf,
  type KeyPart,
  type MachineSchema,
  type NameOf,
  type Parsed,
  type RequestsOf,
  type RowOf,
  type SchedulesOf,
  type Shapes,
  type TableKey,
  type TableOptions,
  type TableSchema,
  type TaskSchema,
  type TasksOf,
  type TimersOf,
  type WaitsOf,
} from './define/schema.ts'
export type {
  FieldsPrefix,
  IndexBounds,
  IndexPage,
  IndexView,
  IndexViews,
  KeyBounds,
  KeyPrefix,
  RangeBounds,
  Table,
  TableOf,
  TableView,
  TableViewOf,
} from './define/tables.ts'
export { ascii } from './graph/ascii.ts'
export { dot } from './graph/dot.ts'
export { type Drawable, firstIn, isComposite, kindText, type NestedState, nestedState } from './graph/drawable.ts'
export { activeStates, eventsFrom } from './graph/live.ts'
export { mermaid } from './graph/mermaid.ts'
export {
  stateGraph,
  stateGraphCases,
  type GraphTable,
  type StateGraph,
  type StateGraphCase,
} from './graph/state-graph.ts'
export {
  transitionCases,
  transitions,
  type Closed,
  type Edge,
  type EventOf,
  type InvalidTransition,
  type StateOf,
  type TransitionCase,
  type TransitionOptions,
  type Transitions,
  type TransitionTable,
} from './graph/transitions.ts'
export { cronText, zoneText } from './parse/schedule-texts.ts'
export { waitNotice } from './define/wait-notice.ts'
export type { KeyCodec } from './run/table-key.ts'
export type { Result } from '../base/result.ts'
export type { Value } from '../codec/value/value.ts'
export type { Brand, Millis, ServerRequestId, SessionId } from '../base/brand.ts'
export { assert } from '../base/assert.ts'
export type {
  OpenRun,
  ScheduleCalls,
  ScheduleDefinition,
  ScheduleOverlap,
  ScheduleRun,
  ScheduleStatus,
} from '../session/schedule.ts'
export type { ScheduleStop } from '../codec/entry/payload.ts'
export type {
  EmitOptions,
  EndedWaitNotice,
  OpenTask,
  MachineCommand,
  MachineContext,
  Outcome,
  QueryView,
  ServerRequest,
  SessionInfo,
  SignalFate,
  SignalOptions,
  KeyReader,
  KeyStore,
  StateReader,
  StateStore,
  TaskKind,
  TaskRecord,
  UserStateMachine,
  WaitEnd,
  WaitNotice,
  WaitOptions,
} from '../session/user-machine.ts'

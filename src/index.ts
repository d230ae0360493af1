/** `holdfast`: the client, nodes in this process, the authoring kit and the three-function interface under it. */
export {
  type ClientSession,
  type CommandOutcome,
  connect,
  ConnectError,
  type ConnectOptions,
  InvalidArgument,
  TaskAborted,
} from './client/index.ts'
export type { DirtyRow, DirtyRows } from './session/dirty-rows.ts'
export type {
  CallOptions,
  ClientSessionState,
  FrameworkRefusal,
  LostReason,
  MachineLike,
  Notification,
  QueryOptions,
  QueryOutcome,
  LeftOut,
  ReceivedRequest,
  RequestHandler,
  SessionRequest,
  SessionToken,
  TaskAssignment,
  TaskHandler,
  TaskProblem,
  Worker,
  WorkerHandlers,
  WorkerOptions,
  WorkerTask,
} from './client/index.ts'
export { defineConfig, type HoldfastConfig } from './cli/config/define-config.ts'
export type { LimitsRow } from './codec/entry/payload.ts'
export type { Entry, EntryHeader, EntryKind } from './codec/entry/entry.ts'
export { type SessionCodec, sessionCodec } from './codec/session-codec.ts'
export type { EmbeddedOptions, NodeOptions } from './host/node-options.ts'
export type { PeerList } from './host/peer-list.ts'
export type { RunningNode } from './host/running-node.ts'
export { StartError } from './host/start-error.ts'
export { startEmbedded, startNode } from './host/start-node.ts'
export type { Value } from './codec/value/value.ts'
export * from './machine/index.ts'
export type { MachineErrorReason, MachineFailure, MachinePart } from './session/machine-report.ts'
export type { HaltCode } from './session/run/halt.ts'
export type { DeadLetter, LetterOutcome, MovedBefore } from './session/dead-letter.ts'
export type { LimboRefusal, UnfollowedTable } from './session/limbo/limbo-refusal.ts'
export type { ScheduleReader, StoredSchedule, TriedSchedule } from './session/schedule.ts'
export { SessionStateMachine, type SessionStateMachineOptions } from './session/session-state-machine.ts'
export type { BuildMachine, MachineContext, MachineVersion, UserStateMachine } from './session/user-machine.ts'
export type {
  Applied,
  AskedEffects,
  CachedOutcome,
  EntryUnderway,
  LeaderTime,
  LimboRows,
  LimboTrial,
  MachineStatus,
  QueryRequest,
  RefusalCode,
  Reply,
  RestoredPosition,
  SessionEnd,
  SessionFacts,
  StateMachine,
  StateSuccessor,
  CommandTrial,
  SessionOverview,
  TriedCommand,
} from './session/state-machine.ts'

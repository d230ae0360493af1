/** `holdfast/client`: sessions of a cluster, from outside it or within its process. */
export type { Random } from '../base/random.ts'
export type { SessionNumbers } from '../codec/entry/payload.ts'
export type { Value } from '../codec/value/value.ts'
export type { ErrorScope } from '../protocol/errors.ts'
export type { Consistency } from '../protocol/up-frame.ts'
export { decodeValue } from '../codec/value/decode.ts'
export { encodeValue, encodeView } from '../codec/value/encode.ts'
export type {
  CallOptions,
  CommandOutcome,
  FrameworkRefusal,
  MachineErrorRefusal,
  QueryOptions,
  QueryOutcome,
  RejectedCommand,
  RejectedQuery,
} from './calls/call.ts'
export { type Change, type LiveQuery, type SubscribeOptions, SubscriptionError } from './calls/live-query.ts'
export type { ClientSession } from './session/client-session.ts'
export { InvalidArgument } from './check/invalid-argument.ts'
export { connect, ConnectError } from './connect.ts'
export type { ConnectOptions } from './connect-options.ts'
export { nodeEnvironment, processClock } from './connection/environment.ts'
export {
  fetchMachines,
  type MachineBuildReport,
  type MachineReport,
  type NodeMachinesReport,
} from './connection/fetch-machines.ts'
export {
  dialGrpc,
  fetchStatus,
  type MachineFailuresReport,
  type MachineStatusReport,
  type MachineVersionReport,
  type NodeStatusReport,
  type ObligationReport,
  type PullReport,
  type PeerBuildReport,
} from './connection/grpc.ts'
export { inProcessDial, type InProcessConnection, type InProcessServer } from './connection/in-process.ts'
export type { MachineCommands, MachineLike, MachineLiveQueries, MachineQueries } from './session/typed-machines.ts'
export { type AbortCode, TaskAborted } from './worker/task-attempt.ts'
export type { TaskHandler, TaskOf, WorkerHandlers, WorkerTask } from './worker/typed-tasks.ts'
export type { Worker } from './worker/worker.ts'
export type { TaskProblem, WorkerOptions } from './worker/worker-options.ts'
export type { Channel, ChannelListener, ClientClock, ClientEnvironment, Dial } from './connection/ports.ts'
export type { LeftOut, ReceivedRequest } from './session/received-request.ts'
export type { IsTyped, Notification, RequestOfType, SessionRequest, TaskAssignment } from './session/typed-requests.ts'
export type { RequestHandler } from './session/request-handlers.ts'
export type { LostReason, ClientSessionState } from './session/session-events.ts'
export type { SessionToken } from './session/session-settings.ts'

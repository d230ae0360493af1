/** `holdfast/client`: sessions of a cluster, from outside it or within its process. */
export type { Value } from '../codec/value/value.ts'
export type { Consistency } from '../protocol/up-frame.ts'
export { decodeValue } from '../codec/value/decode.ts'
export { encodeValue, encodeView } from '../codec/value/encode.ts'
export {
  type CallOptions,
  type CommandOutcome,
  commandOutcome,
  type FrameworkRefusal,
  type MachineErrorRefusal,
  type QueryOptions,
  type QueryOutcome,
  queryOutcome,
  type RejectedCommand,
  type RejectedQuery,
} from './calls/call.ts'
export { ClientSession } from './session/client-session.ts'
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
  type PeerBuildReport,
} from './connection/grpc.ts'
export { inProcessDial, type InProcessServer } from './connection/in-process.ts'
export type { MachineCommands, MachineLike, MachineQueries } from './session/typed-machines.ts'
export { type AbortCode, TaskAborted } from './worker/task-attempt.ts'
export type { TaskHandler, WorkerHandlers, WorkerTask } from './worker/typed-tasks.ts'
export type { Worker } from './worker/worker.ts'
export type { TaskProblem, WorkerOptions } from './worker/worker-options.ts'
export { MultiSession, type MultiSessionOptions } from './session/multi-session.ts'
export type { RawOutcome } from './calls/raw-outcome.ts'
export type { Channel, ChannelListener, ClientClock, ClientEnvironment, Dial } from './connection/ports.ts'
export type { QueryRequest, RawQueryOutcome } from './calls/query-board.ts'
export type { ReceivedRequest } from './session/received-request.ts'
export type { Notification, RequestOfType, SessionRequest, TaskAssignment } from './session/typed-requests.ts'
export type { RequestHandler } from './session/request-handlers.ts'
export { SessionCore } from './session/session-core.ts'
export type { LostReason, SessionEvents } from './session/session-events.ts'
export type { SessionSettings, SessionToken } from './session/session-settings.ts'

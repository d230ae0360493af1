/** `holdfast/client`: sessions of a cluster, from outside it or within its process. */
export type { Value } from '../codec/types.ts'
export { decodeValue, encodeValue, encodeView } from '../codec/value.ts'
export {
  type CallOptions,
  type CommandOutcome,
  commandOutcome,
  type QueryOptions,
  type QueryOutcome,
  queryOutcome,
} from './call.ts'
export { ClientSession } from './client-session.ts'
export { connect, ConnectError, type ConnectOptions } from './connect.ts'
export { nodeEnvironment, processClock } from './environment.ts'
export { dialGrpc, fetchStatus, type NodeStatusReport } from './grpc.ts'
export { type GatewayLike, inProcessDial, type InProcessServer, inProcessServer } from './in-process.ts'
export type { MachineCommands, MachineLike, MachineQueries } from './machines.ts'
export { MultiSession, type MultiSessionOptions } from './multi-session.ts'
export type { LostReason, RawOutcome } from './outcome.ts'
export type { Channel, ChannelListener, ClientClock, ClientEnvironment, Dial } from './ports.ts'
export type { QueryRequest, RawQueryOutcome } from './query-board.ts'
export type { RequestHandler, ReceivedRequest } from './request-handlers.ts'
export { SessionCore, type SessionEvents, type SessionSettings, type SessionToken } from './session-core.ts'

/** `holdfast/server`: the gRPC services of a node, for programs that compose their own. */
export { ClusterService } from './cluster-service.ts'
export { GrpcServer, type GrpcServerOptions } from './grpc-server.ts'
export { SessionService, type SessionServiceOptions } from './session-service.ts'
export { ListenError } from './socket-listener.ts'

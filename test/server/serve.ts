import { sessionCodec } from '../../src/codec/session-codec.ts'
import type { Limits } from '../../src/codec/entry/payload.ts'
import { SessionGateway } from '../../src/gateway/session-gateway.ts'
import { ClusterService } from '../../src/server/cluster-service.ts'
import { GrpcServer } from '../../src/server/grpc-server.ts'
import { SessionService, type SessionServiceOptions } from '../../src/server/session-service.ts'
import { realClock } from '../transport/fake-clock.ts'
import { FakeNode, parserOf } from '../gateway/fake-node.ts'

export interface Served {
  readonly node: FakeNode
  readonly gateway: SessionGateway
  readonly sessions: SessionService
  readonly server: GrpcServer
  readonly address: string
  readonly notes: string[]
  close(): Promise<void>
}

/** A node of one over real gRPC; what is proposed is applied in the next turn unless `manual`. */
export async function serve(
  options: { limits?: Partial<Limits>; manual?: boolean; service?: Partial<SessionServiceOptions>; port?: number } = {},
): Promise<Served> {
  const node = new FakeNode(options.limits)
  if (options.manual !== true) autoRun(node)
  const gateway = new SessionGateway(node, { ...parserOf(() => 1), codec: sessionCodec, clock: realClock })
  const notes: string[] = []
  const sessions = new SessionService({ gateway, note: (code) => notes.push(code), ...options.service })
  const server = await GrpcServer.listen({
    host: '127.0.0.1',
    port: options.port ?? 0,
    services: [sessions, new ClusterService(gateway)],
    graceMs: 200,
  })
  const close = async (): Promise<void> => {
    sessions.close()
    await server.close()
  }
  return { node, gateway, sessions, server, address: `127.0.0.1:${server.port}`, notes, close }
}

/** Commits and applies in the next turn of the loop whatever was proposed in this one. */
export function autoRun(node: FakeNode): void {
  let pending = false
  const soon = (): void => {
    if (pending) return
    pending = true
    setImmediate(() => {
      pending = false
      node.run()
    })
  }
  const submit = node.submit.bind(node)
  const keepAlive = node.keepAlive.bind(node)
  node.submit = (kind, payload, sink) => {
    submit(kind, payload, sink)
    soon()
  }
  node.keepAlive = (session, sink) => {
    keepAlive(session, sink)
    soon()
  }
}

import { onTestFinished } from 'vitest'
import type { Limits } from '../../src/codec/entry/payload.ts'
import { sessionCodec } from '../../src/codec/session-codec.ts'
import { SessionGateway } from '../../src/gateway/session-gateway.ts'
import { GrpcServer } from '../../src/server/grpc-server.ts'
import { OperatorService } from '../../src/server/operator/operator-service.ts'
import { FakeNode, parserOf } from '../gateway/fake-node.ts'
import { realClock } from '../transport/fake-clock.ts'

/** A fake node whose operator service is served over a real socket, as long as the test lasts. */
export async function operator(limits: Partial<Limits> = {}): Promise<{ node: FakeNode; address: string }> {
  const node = new FakeNode(limits)
  const gateway = new SessionGateway(node, { ...parserOf(() => 1), codec: sessionCodec, clock: realClock })
  const services = [new OperatorService(gateway)]
  const server = await GrpcServer.listen({ host: '127.0.0.1', port: 0, services, graceMs: 100 })
  onTestFinished(() => server.close())
  return { node, address: `127.0.0.1:${server.port}` }
}

/** Of that node everything that is submitted is applied soon. */
export function appliesAtOnce(node: FakeNode): void {
  const submit = node.submit.bind(node)
  node.submit = (...call) => {
    submit(...call)
    queueMicrotask(() => node.run())
  }
}

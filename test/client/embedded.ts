import { inProcessServer } from '../../src/gateway/in-process-server.ts'
import { SessionGateway } from '../../src/gateway/session-gateway.ts'
import { sessionCodec } from '../../src/codec/session-codec.ts'
import { FakeNode, parserOf } from '../gateway/fake-node.ts'
import { autoRun } from '../server/serve.ts'
import { realClock } from '../transport/fake-clock.ts'

/** A node in this process that applies what it is given, on real time, and a server for `connect({ embedded })`. */
export function embedded() {
  const node = new FakeNode()
  autoRun(node)
  const gateway = new SessionGateway(node, { ...parserOf(() => 1), codec: sessionCodec, clock: realClock })
  return { node, gateway, server: inProcessServer(gateway) }
}

/** What the promise gave or rejected with. */
export function ended(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: unknown) => error)
}

/** The warnings of the library while the test runs; `stop` ends it. */
export function warnings(): { readonly heard: { code: string; message: string }[]; stop(): void } {
  const heard: { code: string; message: string }[] = []
  const listen = (warning: Error & { code?: string }): void => {
    if (warning.name === 'HoldfastWarning') heard.push({ code: warning.code ?? '', message: warning.message })
  }
  process.on('warning', listen)
  return { heard, stop: () => process.off('warning', listen) }
}

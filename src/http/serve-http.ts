import type { HostPort } from '../base/host-port.ts'
import type { Dial } from '../client/connection/ports.ts'
import type { DescriptorBudget } from '../server/descriptors.ts'
import { WEBHOOK_ROLE } from '../machines/index.ts'
import { HttpServer } from './http-server.ts'
import { mpesaWebhook, type MpesaWebhookOptions } from './mpesa-webhook.ts'
import { NodeClient } from './node-client.ts'
import { validateTransition } from './validate-transition.ts'

/** What a node's HTTP port is made of. */
export interface ServedHttpOptions extends Pick<MpesaWebhookOptions, 'secret' | 'onUnparsed' | 'onNotCommitted'> {
  readonly listen: HostPort
  /** The node's id. */
  readonly node: string
  readonly dial: Dial
  readonly endpoints: readonly string[]
  readonly budget: Pick<DescriptorBudget, 'admit'>
  readonly onBug: (error: unknown) => void
}

/** A node's HTTP port, with the one session behind it. */
export interface ServedHttp {
  readonly port: number
  /** Answers what was asked, then ends the session. The node must still run. */
  close(): Promise<void>
}

/** Serves callbacks and validations. Rejects with ListenError. */
export async function serveHttp(options: ServedHttpOptions): Promise<ServedHttp> {
  const { listen, node, dial, endpoints, budget, onBug, ...webhook } = options
  const client = new NodeClient({
    dial,
    endpoints,
    principal: 'worker:webhook',
    roles: [WEBHOOK_ROLE],
    name: `webhook of ${node}`,
  })
  const resources = [mpesaWebhook({ ...webhook, client }), validateTransition]
  const server = await HttpServer.listen({ ...listen, resources, budget, onBug })
  return {
    port: server.port,
    close: async () => {
      await server.close()
      await client.close()
    },
  }
}

import { sessionCodec } from '../../../src/codec/session-codec.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import type { GatewayConnection } from '../../../src/gateway/gateway-connection.ts'
import type { SubscribeMessage } from '../../../src/protocol/up-frame.ts'
import { attachedClient, command, type Heard, worldOf } from '../recorder.ts'
import { dictionary } from './dictionary.ts'

type Options = NonNullable<Parameters<typeof worldOf>[0]>['gateway']

/** Subscribes on that connection. */
export function askOf(
  connection: GatewayConnection,
  subscriptionId: number,
  query: string,
  input: Value,
  over: Partial<SubscribeMessage> = {},
): void {
  connection.receiveSubscribe({
    kind: 'subscribe',
    channel: 1,
    subscriptionId,
    incarnation: 0,
    minIndex: 0,
    machine: 't',
    query,
    input: sessionCodec.encodeValue(input),
    ...over,
  })
}

/** A session with subscriptions, and what it may do. */
export function subscriber(gateway: Options = {}) {
  const world = worldOf({ machine: dictionary(), gateway })
  const client = attachedClient(world)
  let requestId = 0
  return {
    ...client,
    world,
    /** Subscribes under that id. */
    ask: (subscriptionId: number, query: string, input: Value, over: Partial<SubscribeMessage> = {}): void =>
      askOf(client.connection, subscriptionId, query, input, over),
    /** Commands of one batch. */
    write: (...commands: readonly (readonly [name: string, key: string, value?: Value])[]): void => {
      for (const [name, ...input] of commands)
        client.connection.receiveRequest(command((requestId += 1), name, input as Value))
      world.node.run()
    },
    /** What was told of subscriptions since the last call. */
    told: (): Heard[] => client.recorder.take().filter(([kind]) => kind !== 'responded'),
    applied: (): number => world.node.machine.appliedIndex,
  }
}

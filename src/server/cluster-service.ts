import type { sendUnaryData, ServerUnaryCall, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js'
import type { SessionGateway } from '../gateway/session-gateway.ts'
import { loadService } from '../grpc/load-service.ts'
import type { ToldRefusal } from './peer-refusals.ts'

/** `ClusterService`: what an operator may ask of a node. */
export class ClusterService {
  readonly definition: ServiceDefinition
  readonly implementation: UntypedServiceImplementation

  constructor(gateway: SessionGateway, refusals: () => readonly ToldRefusal[] = () => []) {
    this.definition = loadService('holdfast/v1/cluster.proto', 'holdfast.v1.ClusterService')
    this.implementation = {
      Status: (_call: ServerUnaryCall<unknown, unknown>, reply: sendUnaryData<unknown>) =>
        reply(null, { ...statusResponse(gateway), refusals: refusals() }),
    }
  }
}

/** NodeStatus as the message says it: "" for none. */
function statusResponse(gateway: SessionGateway): object {
  const { node } = gateway
  const status = node.status()
  const { leader } = status
  return {
    ...status,
    clusterId: node.clusterId,
    group: node.group,
    incarnation: node.incarnation,
    machines: status.machines.map((machine) => ({ ...machine, schema: machine.schema ?? '' })),
    leader: leader ?? '',
    leaderAddress: leader === null ? '' : (node.addressOf(leader) ?? ''),
    attached: gateway.attachedCount,
    connections: gateway.connectionCount,
  }
}

import type { sendUnaryData, ServerUnaryCall, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js'
import type { SessionGateway } from '../gateway/session-gateway.ts'
import { loadServedService } from '../grpc/load-service.ts'
import type { ToldRefusal } from './peer-refusals.ts'

/** One version of a machine in this process, as `MachineBuild` of the proto says it. */
export interface NamedBuild {
  readonly name: string
  readonly version: number
  readonly schema: string
  readonly code: string
  readonly description: string
}

/** `ClusterService`: what an operator may ask of a node. */
export class ClusterService {
  readonly definition: ServiceDefinition
  readonly implementation: UntypedServiceImplementation

  /** `builds`: what this process has of each machine, for `Machines`. */
  constructor(
    gateway: SessionGateway,
    refusals: () => readonly ToldRefusal[] = () => [],
    builds: () => readonly NamedBuild[] = () => [],
  ) {
    this.definition = loadServedService('holdfast/v1/cluster.proto', 'holdfast.v1.ClusterService')
    this.implementation = {
      Status: (_call: ServerUnaryCall<unknown, unknown>, reply: sendUnaryData<unknown>) =>
        reply(null, { ...statusResponse(gateway), refusals: refusals() }),
      Machines: (_call: ServerUnaryCall<unknown, unknown>, reply: sendUnaryData<unknown>) =>
        reply(null, machinesResponse(gateway, builds())),
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
    owes: status.owes === null ? null : { term: 0, index: 0, told: [], ...status.owes },
    leader: leader ?? '',
    leaderAddress: leader === null ? '' : (node.addressOf(leader) ?? ''),
    attached: gateway.attachedCount,
    connections: gateway.connectionCount,
  }
}

function machinesResponse({ node }: SessionGateway, builds: readonly NamedBuild[]): object {
  const machines = node.machine.machines().map(({ name, active, schema }) => ({
    name,
    active,
    schema: schema ?? '',
    builds: builds.filter((build) => build.name === name).sort((left, right) => left.version - right.version),
  }))
  machines.sort((left, right) => (left.name < right.name ? -1 : 1))
  return { id: node.id, appliedIndex: node.machine.appliedIndex, machines }
}

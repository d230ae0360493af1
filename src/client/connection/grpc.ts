import type { ServiceDefinition, ServiceError } from '@grpc/grpc-js'
import { dialStream } from '../../grpc/dial-stream.ts'
import { loadService } from '../../grpc/load-service.ts'
import { openClient } from '../../grpc/open-client.ts'
import { decodeErrorInfo, STATUS_DETAILS_KEY } from '../../protocol/error-info.ts'
import { unwrapFrames, wrapFrame } from '../../protocol/frame-message.ts'
import type { Dial } from './ports.ts'

const CONNECT_PATH = '/holdfast.v1.SessionService/Connect'

/** Twice the largest frame; and 1 MiB under way, because with HTTP/2's 64 KiB every batch would wait for a round trip. */
const RECEIVE = { messageBytesMax: 8 * 1024 * 1024, windowBytes: 1024 * 1024 } as const

const ignore = (): void => {}

/** Session frames over one gRPC stream; the only file of the library that knows gRPC. */
export const dialGrpc: Dial = (endpoint, listener) => {
  const stream = dialStream(
    { address: endpoint, path: CONNECT_PATH, receive: RECEIVE },
    {
      onOpen: ignore,
      onMessage: (message) => {
        const frames = unwrapFrames(message)
        if (frames === null) {
          stream.cancel()
          listener.onClosed('MALFORMED_FRAME', 'the message is no Frame')
        }
        for (const frame of frames ?? []) if (stream.open) listener.onFrame(frame)
      },
      onEnd: (error) => {
        if (error === null) listener.onClosed('ENDED', 'the server ended the stream')
        else listener.onClosed(codeOf(error), error.details || error.message)
      },
    },
  )
  return { sendFrame: (frame) => stream.write(wrapFrame(frame), ignore), close: () => stream.end() }
}

/** The registry's code of a gRPC error, else its status number. */
function codeOf(error: ServiceError): string {
  const details = error.metadata?.get(STATUS_DETAILS_KEY)[0]
  const info = details instanceof Buffer ? decodeErrorInfo(details) : null
  return info?.reason ?? `GRPC_${error.code}`
}

/** What a node says of itself and, if it leads, of its followers. Indexes are log indexes, times milliseconds. */
export interface NodeStatusReport {
  readonly id: string
  readonly clusterId: string
  readonly group: number
  readonly incarnation: number
  readonly role: string
  readonly leader: string | null
  readonly leaderAddress: string
  readonly term: number
  readonly commitIndex: number
  readonly appliedIndex: number
  readonly lastIndex: number
  readonly snapshotIndex: number
  readonly stateHash: string
  readonly syncP50Ms: number
  readonly syncP99Ms: number
  readonly sessions: number
  readonly rows: number
  readonly attached: number
  readonly connections: number
  readonly followers: readonly { readonly id: string; readonly matchIndex: number; readonly contactMs: number }[]
  readonly voters: readonly string[]
}

/** Asks one node for its status. Rejects with the gRPC error when it does not answer in time. */
export function fetchStatus(endpoint: string, deadlineMs = 2000): Promise<NodeStatusReport> {
  const method = clusterService()['Status']
  if (method === undefined) throw new Error('the proto folder defines no ClusterService.Status')
  const client = openClient(endpoint, RECEIVE)
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + deadlineMs
    client.makeUnaryRequest<object, NodeStatusReport>(
      method.path,
      method.requestSerialize,
      method.responseDeserialize as (bytes: Buffer) => NodeStatusReport,
      {},
      { deadline },
      (error, response) => {
        client.close()
        if (error !== null || response === undefined) reject(error ?? new Error('no response'))
        else resolve({ ...response, leader: response.leader === '' ? null : response.leader })
      },
    )
  })
}

let loaded: ServiceDefinition | null = null

function clusterService(): ServiceDefinition {
  loaded ??= loadService('holdfast/v1/cluster.proto', 'holdfast.v1.ClusterService')
  return loaded
}

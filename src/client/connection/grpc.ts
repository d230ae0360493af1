import {
  Client,
  type ClientDuplexStream,
  type ClientOptions,
  credentials,
  Metadata,
  type ServiceError,
  type ServiceDefinition,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { decodeErrorInfo, STATUS_DETAILS_KEY } from '../../protocol/error-info.ts'
import { unwrapFrames, wrapFrame } from '../../protocol/frame-message.ts'
import { JoiningWriter } from '../../protocol/joining-writer.ts'
import type { Dial } from './ports.ts'

const CONNECT_PATH = '/holdfast.v1.SessionService/Connect'

/** The library is the only retry layer, and every connection is its own. */
const CLIENT_OPTIONS: ClientOptions = {
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_retries': 0,
  // Else a write is said to be done while it waits behind others, and `JoiningWriter` could join nothing.
  'grpc.retry_buffer_size': 0,
  'grpc.per_rpc_retry_buffer_size': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.max_send_message_length': -1,
  'grpc.max_receive_message_length': 8 * 1024 * 1024,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc-node.flow_control_window': 1024 * 1024,
}

const asIs = (bytes: Buffer): Buffer => bytes
const ignore = (): void => {}

/** Session frames over one gRPC stream; the only file of the library that knows gRPC. */
export const dialGrpc: Dial = (endpoint, listener) => {
  const client = new Client(endpoint, credentials.createInsecure(), CLIENT_OPTIONS)
  const call: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(
    CONNECT_PATH,
    asIs,
    asIs,
    new Metadata(),
  )
  const writer = new JoiningWriter((message, written) => call.write(message, written))
  let open = true
  const closed = (code: string, message: string): void => {
    if (!open) return
    open = false
    client.close()
    listener.onClosed(code, message)
  }
  call.on('data', (message: Buffer) => {
    if (!open) return
    const frames = unwrapFrames(message)
    if (frames === null) {
      call.cancel()
      closed('MALFORMED_FRAME', 'the message is no Frame')
    }
    for (const frame of frames ?? []) if (open) listener.onFrame(frame)
  })
  call.on('error', (error: ServiceError) => closed(codeOf(error), error.details || error.message))
  call.on('end', () => closed('ENDED', 'the server ended the stream'))
  return {
    sendFrame: (frame) => {
      if (open) writer.send(wrapFrame(frame), ignore)
    },
    close: () => {
      if (!open) return
      open = false
      writer.flush()
      call.end()
      // The last frame (a close) is on its way; cancelling now would overtake it.
      call.on('status', () => client.close())
      const timer = setTimeout(() => {
        call.cancel()
        client.close()
      }, CLOSE_GRACE_MS)
      timer.unref()
    },
  }
}

/** How long a stream that was ended may take to end. */
const CLOSE_GRACE_MS = 500

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
  const client = new Client(endpoint, credentials.createInsecure(), CLIENT_OPTIONS)
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

/** `proto/` lies beside `src/` in a checkout and two levels above `dist/src/` in a package. */
function clusterService(): ServiceDefinition {
  const includeDirs = ['../../../proto/', '../../../../proto/'].map((path) =>
    decodeURIComponent(new URL(path, import.meta.url).pathname),
  )
  loaded ??= loadSync('holdfast/v1/cluster.proto', { longs: Number, defaults: true, includeDirs })[
    'holdfast.v1.ClusterService'
  ] as ServiceDefinition
  return loaded
}

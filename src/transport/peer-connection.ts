import {
  Client,
  type ClientDuplexStream,
  type ClientOptions,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js'
import { JoiningWriter } from '../protocol/joining-writer.ts'
import { PEER_STREAM_PATH } from './peer-service.ts'

/** Why a dialled connection is no more. */
export type ConnectionEnd =
  /** The peer's machine answered that nobody listens, or reset what was open: its process is gone. */
  | 'gone'
  /** The peer refused our frames and said why. */
  | 'refused'
  /** Anything else: a name that does not resolve, a silent path, an orderly end. */
  | 'other'

export interface ConnectionListener {
  /** The peer's server answered: frames may be sent. */
  onOpen(): void
  /** Exactly once, unless `close` was called before. */
  onEnd(end: ConnectionEnd, message: string): void
}

/** One dialled stream. */
export interface PeerConnection {
  /** Puts one message (already wrapped) on the stream; `onWritten` follows when the socket has taken it. */
  write(message: Buffer, onWritten: () => void): void
  /** Ends it without further notice. */
  close(): void
}

export type DialPeer = (address: string, listener: ConnectionListener) => PeerConnection

/**
 * gRPC's own reconnecting, retrying and pooling are off: `PeerLink` owns them, because grpc-js backs off for up to two
 * minutes and never gives up on a peer that accepts TCP and stays silent.
 */
const CLIENT_OPTIONS: ClientOptions = {
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_retries': 0,
  // Else a write is said to be done while it waits behind others, and `JoiningWriter` could join nothing.
  'grpc.retry_buffer_size': 0,
  'grpc.per_rpc_retry_buffer_size': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.max_send_message_length': -1,
  'grpc.max_receive_message_length': 64 * 1024,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
}

const asIs = (bytes: Buffer): Buffer => bytes
const ignore = (): void => {}

/** Dials a peer over plain HTTP/2. */
export const dialPeer: DialPeer = (address, listener) => {
  const client = new Client(address, credentials.createInsecure(), CLIENT_OPTIONS)
  const call: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(
    PEER_STREAM_PATH,
    asIs,
    asIs,
    new Metadata(),
  )
  const writer = new JoiningWriter((message, written) => {
    if (!ended) call.write(message, written)
  })
  let ended = false
  const end = (kind: ConnectionEnd, message: string): void => {
    if (ended) return
    ended = true
    client.close()
    listener.onEnd(kind, message)
  }
  call.on('metadata', () => {
    if (!ended) listener.onOpen()
  })
  call.on('data', ignore)
  call.on('error', (error: ServiceError) => end(endOf(error), error.details || error.message))
  call.on('end', () => end('other', 'the peer ended the stream'))
  return {
    write: (message, onWritten) => {
      if (!ended) writer.send(message, onWritten)
    },
    close: () => {
      if (ended) return
      ended = true
      call.cancel()
      client.close()
    },
  }
}

/** grpc-js tells a refused connection from other trouble in its text only. */
function endOf(error: ServiceError): ConnectionEnd {
  if (
    error.code === status.FAILED_PRECONDITION ||
    error.code === status.INVALID_ARGUMENT ||
    error.code === status.UNIMPLEMENTED
  )
    return 'refused'
  if (error.code !== status.UNAVAILABLE && error.code !== status.CANCELLED && error.code !== status.INTERNAL)
    return 'other'
  return /ECONNREFUSED|ECONNRESET|EPIPE|Connection dropped|socket hang up|session (?:closed|ended)|RST_STREAM/i.test(
    error.details,
  )
    ? 'gone'
    : 'other'
}

import { type ServiceError, status } from '@grpc/grpc-js'
import { dialStream } from '../grpc/dial-stream.ts'
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

/** What comes back on a dialled stream is its headers and the reason of its end: no message of any size (wire.md §7). */
const RECEIVE = { messageBytesMax: 64 * 1024 } as const

const ignore = (): void => {}

/** Dials a peer over plain HTTP/2. */
export const dialPeer: DialPeer = (address, listener) => {
  const stream = dialStream(
    { address, path: PEER_STREAM_PATH, receive: RECEIVE },
    {
      onOpen: () => listener.onOpen(),
      onMessage: ignore,
      onEnd: (error) => {
        if (error === null) listener.onEnd('other', 'the peer ended the stream')
        else listener.onEnd(endOf(error), error.details || error.message)
      },
    },
  )
  return { write: (message, written) => stream.write(message, written), close: () => stream.cancel() }
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

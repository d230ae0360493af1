import type { AddressLookup } from '../grpc/address-lookup.ts'
import { dialStream } from '../grpc/dial-stream.ts'
import { STATUS, type StreamEnd } from '../grpc/stream-end.ts'
import { FRAME_KIND_FIRST_BUILD } from './peer-message.ts'
import { FRAME_KINDS_HEADER, PEER_STREAM_PATH } from './peer-service.ts'

/** Why a dialled connection is no more. */
export type ConnectionEnd =
  /** The peer's machine answered that nobody listens, or reset what was open: its process is gone. */
  | 'gone'
  /** The peer refused our frames and said why. */
  | 'refused'
  /** Anything else: a name that does not resolve, a silent path, an orderly end. */
  | 'other'

export interface ConnectionListener {
  /** The peer's server answered: frames may be sent, of kinds up to this number. */
  onOpen(kindMax: number): void
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
const RECEIVED_BYTES_MAX = 64 * 1024

const ignore = (): void => {}

/** Dials peers, directly where their builds know that, with another way to look names up than the process's own. */
export function peerDial(lookup?: AddressLookup): DialPeer {
  const names = lookup === undefined ? {} : { lookup }
  return (address, listener) => {
    const stream = dialStream(
      { address, path: PEER_STREAM_PATH, direct: true, messageBytesMax: RECEIVED_BYTES_MAX, ...names },
      {
        onOpen: (headers) => listener.onOpen(kindMaxOf(headers)),
        onMessage: ignore,
        onEnd: (end) => {
          if (end === null) listener.onEnd('other', 'the peer ended the stream')
          else listener.onEnd(kindOf(end), end.message)
        },
      },
    )
    return { write: (message, written) => stream.write(message, written), close: () => stream.cancel() }
  }
}

/** What the peer's acceptor has said; a build that says nothing takes the first kinds alone. */
function kindMaxOf(headers: { readonly [name: string]: unknown }): number {
  const said = Number(headers[FRAME_KINDS_HEADER])
  return Number.isSafeInteger(said) && said > FRAME_KIND_FIRST_BUILD ? said : FRAME_KIND_FIRST_BUILD
}

const REFUSED: ReadonlySet<number> = new Set([STATUS.failedPrecondition, STATUS.invalidArgument, STATUS.unimplemented])

function kindOf(end: StreamEnd): ConnectionEnd {
  if (REFUSED.has(end.code)) return 'refused'
  return end.gone ? 'gone' : 'other'
}

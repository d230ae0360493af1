import type { Server } from '@grpc/grpc-js'
import type { Http2Server, ServerHttp2Session } from 'node:http2'

/**
 * Bytes that a sender may have under way to this server, per stream and per connection: one full message of a peer
 * (2 MiB of records) or eight full frames of a client. HTTP/2's own 64 KiB are less than one batch of commands, so that
 * each batch, and each heartbeat behind it, waited for a round trip through both event loops.
 */
export const RECEIVE_WINDOW_BYTES = 2 * 1024 * 1024

/** What a grpc-js server is made of: it has an option for a client's windows and none for its own. */
interface Listening {
  readonly http2Servers?: ReadonlyMap<Http2Server, unknown>
}

/** Widens the receive windows of every connection to a server that listens already. */
export function widenReceiveWindows(server: Server): void {
  const { http2Servers } = server as unknown as Listening
  for (const listening of http2Servers?.keys() ?? []) listening.on('session', widen)
}

function widen(session: ServerHttp2Session): void {
  session.settings({ initialWindowSize: RECEIVE_WINDOW_BYTES })
  session.setLocalWindowSize(RECEIVE_WINDOW_BYTES)
}

import { Client, type ClientOptions, credentials } from '@grpc/grpc-js'

/** HTTP/2 pings of every connection, client's, peer's and server's: one every 10 s, given up after 5 s (wire.md §2, step 6). */
export const KEEP_ALIVE = {
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
} as const

/**
 * gRPC's own reconnecting, retrying and pooling are off: whoever dials owns them, because grpc-js backs off for up to two
 * minutes and never gives up on a server that accepts TCP and stays silent.
 */
const CLIENT_OPTIONS: ClientOptions = {
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_retries': 0,
  // Else a write is said to be done while it waits behind others, and `JoiningWriter` could join nothing.
  'grpc.retry_buffer_size': 0,
  'grpc.per_rpc_retry_buffer_size': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.max_send_message_length': -1,
  // Peers and endpoints are named by their addresses: a proxy of the environment, meant for the web, cannot reach them.
  'grpc.enable_http_proxy': 0,
  ...KEEP_ALIVE,
}

/** What a client is ready to receive. */
export interface ReceiveBounds {
  /** Largest message, bytes; a larger one ends the call. */
  readonly messageBytesMax: number
  /** Bytes that the server may have under way, per stream and connection. Default HTTP/2's 64 KiB. */
  readonly windowBytes?: number
}

/** A connection of its own to `address` (host:port), over plain HTTP/2. It connects with the first call. */
export function openClient(address: string, { messageBytesMax, windowBytes }: ReceiveBounds): Client {
  return new Client(address, credentials.createInsecure(), {
    ...CLIENT_OPTIONS,
    'grpc.max_receive_message_length': messageBytesMax,
    ...(windowBytes === undefined ? {} : { 'grpc-node.flow_control_window': windowBytes }),
  })
}

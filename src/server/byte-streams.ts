import type { Server, ServerDuplexStream } from '@grpc/grpc-js'
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { ByteCall } from '../grpc/byte-call.ts'

/** Serves one stream of messages that are bytes. */
export type ByteHandler = (call: ServerDuplexStream<Buffer, Buffer>) => void

/** What a grpc-js server is made of. */
interface Listening {
  readonly http2Servers?: ReadonlyMap<Http2Server, unknown>
}

type StreamListener = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, ...more: unknown[]) => void

/**
 * Takes the streams of these paths from grpc-js, before it has made anything of them; for a server that has its injector
 * already. What it alone knows (a deadline, a compression, a content type that is not gRPC's) stays with it, and so do all
 * other calls.
 */
export function takeByteStreams(
  server: Server,
  handlers: ReadonlyMap<string, ByteHandler>,
  messageBytesMax: number,
): void {
  const { http2Servers } = server as unknown as Listening
  for (const listening of http2Servers?.keys() ?? []) {
    const others = listening.listeners('stream') as StreamListener[]
    listening.removeAllListeners('stream')
    listening.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, ...more: unknown[]) => {
      const handler = isPlain(headers) ? handlers.get(headers[':path'] ?? '') : undefined
      // As a handler sees it, it is one: the events and calls that handlers of bytes use are those of grpc-js.
      if (handler !== undefined) handler(new ByteCall(stream, messageBytesMax) as unknown as Parameters<ByteHandler>[0])
      else for (const other of others) other.call(listening, stream, headers, ...more)
    })
  }
}

/** An ordinary gRPC call without a deadline, of messages that are not compressed. */
function isPlain(headers: IncomingHttpHeaders): boolean {
  const { 'content-type': type = '', 'grpc-encoding': encoding = 'identity', 'grpc-timeout': timeout } = headers
  return type.startsWith('application/grpc') && encoding === 'identity' && timeout === undefined
}

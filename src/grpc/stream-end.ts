import type { IncomingHttpHeaders } from 'node:http2'

/** The numbers of gRPC's statuses that both ends speak of. */
export const STATUS = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const

/** Why a stream is over, other than by an orderly end. */
export interface StreamEnd {
  /** gRPC's status: the server's, or one that describes what became of the connection. */
  readonly code: number
  readonly message: string
  /** `grpc-status-details-bin` as the server sent it; null when it sent none. */
  readonly details: Buffer | null
  /** The other machine answered that nobody listens, or an open connection was reset: the process there is gone. */
  readonly gone: boolean
}

/** An end that this side found. */
export function endedBy(code: number, message: string, gone = false): StreamEnd {
  return { code, message, details: null, gone }
}

/** What the trailers of a stream say; null for status 0, an orderly end. */
export function endOfTrailers(trailers: IncomingHttpHeaders): StreamEnd | null {
  const code = Number(trailers['grpc-status'] ?? STATUS.unknown)
  if (code === STATUS.ok) return null
  const details = trailers['grpc-status-details-bin']
  return {
    code: Number.isSafeInteger(code) ? code : STATUS.unknown,
    message: percentDecoded(String(trailers['grpc-message'] ?? '')),
    details: typeof details === 'string' ? Buffer.from(details, 'base64') : null,
    gone: false,
  }
}

const STATUS_OF_HTTP: { readonly [http: number]: number } = {
  400: STATUS.internal,
  401: STATUS.unauthenticated,
  403: STATUS.permissionDenied,
  404: STATUS.unimplemented,
  429: STATUS.unavailable,
  502: STATUS.unavailable,
  503: STATUS.unavailable,
  504: STATUS.unavailable,
}

/** Headers of something that is no gRPC server, as gRPC maps them; null when they are one's. */
export function endOfForeignHeaders(headers: IncomingHttpHeaders): StreamEnd | null {
  const http = Number(headers[':status'])
  if (http !== 200)
    return endedBy(STATUS_OF_HTTP[http] ?? STATUS.unknown, `the server answered with HTTP status ${http}`)
  const type = headers['content-type'] ?? ''
  return type.startsWith('application/grpc') ? null : endedBy(STATUS.unknown, `the server answered with ${type}`)
}

/** What the system calls an error of a socket whose other end is gone. */
const GONE: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE'])

/** A socket's, session's or stream's own error. */
export function endOfError(error: Error): StreamEnd {
  const code = 'code' in error ? String(error.code) : ''
  // An error over several addresses (a name with an IPv4 and an IPv6 one) has none of its own: any of them tells.
  const parts = error instanceof AggregateError ? error.errors : []
  const first: unknown = parts.find((part: unknown) => part instanceof Error)
  const message = error.message === '' && first instanceof Error ? first.message : error.message
  return endedBy(STATUS.unavailable, message, GONE.has(code) || code.startsWith('ERR_HTTP2'))
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

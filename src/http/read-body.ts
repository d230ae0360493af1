import type { IncomingMessage } from 'node:http'
import type { HttpBounds } from './http-bounds.ts'

/** What became of a request's body. */
export type ReadBody =
  /** It arrived whole. */
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  /** It has more bytes than are taken; `drained`: all the same it was read to its end. */
  | { readonly kind: 'tooLarge'; readonly drained: boolean }
  /** The caller went away before its end: nobody waits for an answer. */
  | { readonly kind: 'gone' }

/** Reads a body, whatever is asked of it: what is refused is read too, so that the connection can go on. Never rejects. */
export function readBody(
  request: IncomingMessage,
  { bodyBytesMax, drainBytesMax }: Pick<HttpBounds, 'bodyBytesMax' | 'drainBytesMax'>,
): Promise<ReadBody> {
  return new Promise((resolve) => {
    let chunks: Buffer[] = []
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= bodyBytesMax) chunks.push(chunk)
      else chunks = []
      if (length <= drainBytesMax) return
      request.pause()
      resolve({ kind: 'tooLarge', drained: false })
    })
    request.once('end', () =>
      resolve(
        length > bodyBytesMax
          ? { kind: 'tooLarge', drained: true }
          : { kind: 'whole', bytes: Buffer.concat(chunks, length) },
      ),
    )
    // An end without all of the body is told as an error or as a close.
    request.once('error', () => resolve({ kind: 'gone' }))
    request.once('close', () => resolve({ kind: 'gone' }))
  })
}

/** JSON in UTF-8, not compressed. */
export function isPlainJson({ headers }: IncomingMessage): boolean {
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = headers
  const [media = '', ...parameters] = type.split(';').map((part) => part.trim().toLowerCase())
  const charset = parameters.find((part) => part.startsWith('charset='))?.slice('charset='.length)
  const utf8 = charset === undefined || /^"?utf-?8"?$/.test(charset)
  return media === 'application/json' && utf8 && encoding.trim().toLowerCase() === 'identity'
}

/** The text of a body, its byte-order mark left out; null where it is no UTF-8. */
export function textOf(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}

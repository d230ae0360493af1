import { type ByteReader, FrameError } from './bytes.ts'
import { FRAME_BYTES_MAX } from './limits.ts'

/** First byte of every frame; another one is refused (docs/format.md, "Session frames"). */
export const FRAME_VERSION = 1

/**
 * Hands over every message of a frame. Messages before a bad one have then been seen already; the answer is null or a
 * sentence about what is wrong, after which the connection must end. Never throws for bad bytes (wire.md §1, step 3).
 */
export function readFrame<Message>(
  reader: ByteReader,
  frame: Uint8Array,
  read: (reader: ByteReader) => Message,
  receive: (message: Message) => void,
): string | null {
  if (frame.length > FRAME_BYTES_MAX) return `a frame of ${frame.length} bytes exceeds ${FRAME_BYTES_MAX}`
  reader.reset(frame)
  for (let first = true; first || !reader.done; first = false) {
    let message: Message
    try {
      if (first && readVersion(reader)) return null
      message = read(reader)
    } catch (error) {
      if (error instanceof FrameError) return error.message
      throw error
    }
    receive(message)
  }
  return null
}

/** Checks the version byte; true when the frame holds nothing else. */
function readVersion(reader: ByteReader): boolean {
  const version = reader.byte()
  if (version !== FRAME_VERSION) throw new FrameError(`frame version ${version} is not ${FRAME_VERSION}`)
  return reader.done
}

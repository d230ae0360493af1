/**
 * The proto message around frames: `message Frame { repeated bytes packed = 1; }`, written by hand because the frames'
 * bytes are all there is to it. It reads exactly what any protobuf library writes for that message.
 */

/** Tag of field 1, length-delimited. */
const TAG = 0x0a
/** Tag and the longest length (a uint32 as varint). */
export const FRAME_MESSAGE_HEADROOM = 6

/** The message around one frame. One copy. */
export function wrapFrame(frame: Uint8Array): Buffer {
  if (frame.length === 0) return Buffer.alloc(0)
  const header = headerBytes(frame.length)
  const message = Buffer.allocUnsafe(header + frame.length)
  writeHeader(message, 0, frame.length)
  message.set(frame, header)
  return message
}

/** Fills the headroom in front of a frame that was written behind `FRAME_MESSAGE_HEADROOM` bytes; no copy. */
export function wrapInPlace(framed: Buffer): Buffer {
  const length = framed.length - FRAME_MESSAGE_HEADROOM
  const start = FRAME_MESSAGE_HEADROOM - headerBytes(length)
  writeHeader(framed, start, length)
  return framed.subarray(start)
}

/**
 * The frames inside a message, in order, as views; null when the bytes are not such a message. Several messages joined end
 * to end are one. Without any bytes it is one empty frame, which the reader of frames refuses.
 */
export function unwrapFrames(message: Buffer): readonly Buffer[] | null {
  if (message.length === 0) return [message]
  const frames: Buffer[] = []
  for (let at = 0; at < message.length; ) {
    const start = frameStart(message, at)
    if (start === null) return null
    at = start.at + start.length
    if (at > message.length) return null
    frames.push(message.subarray(start.at, at))
  }
  return frames
}

/** Where the frame begins whose tag stands at `at`, and its length; null when none does. */
function frameStart(message: Buffer, at: number): { readonly at: number; readonly length: number } | null {
  if (message[at] !== TAG) return null
  let length = 0
  let scale = 1
  for (let next = at + 1; next < at + FRAME_MESSAGE_HEADROOM; next += 1) {
    const byte = message[next]
    if (byte === undefined) return null
    length += (byte & 0x7f) * scale
    scale *= 128
    if (byte < 0x80) return { at: next + 1, length }
  }
  return null
}

function headerBytes(length: number): number {
  let bytes = 2
  for (let rest = length; rest >= 0x80; rest = Math.floor(rest / 128)) bytes += 1
  return bytes
}

function writeHeader(target: Buffer, at: number, length: number): void {
  target[at] = TAG
  let position = at + 1
  let rest = length
  while (rest >= 0x80) {
    target[position++] = (rest % 128) | 0x80
    rest = Math.floor(rest / 128)
  }
  target[position] = rest
}

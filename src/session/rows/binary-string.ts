/** Bytes as a string of code units 0–255: what rows hold of secrets and nonces, and what can be compared at once. */
export function binaryString(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}

/** The inverse of `binaryString`. PERF: every ack asks for it, and an iteration over the characters took 3 µs. */
export function bytesOfBinary(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at)
  return bytes
}

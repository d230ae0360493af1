/** The first bytes from either end of a direct connection (docs/format.md, "Direct connections"). */
export const PREFACE = Buffer.from('HOLDFAST/1\r\n\r\n', 'latin1')

/**
 * Whether a connection begins with the preface: null while `bytes`, all that has come so far, do not tell. A server of HTTP/2
 * sends its settings first and a client `PRI`, so that one byte tells either.
 */
export function beginsDirectly(bytes: Buffer): boolean | null {
  const length = Math.min(bytes.length, PREFACE.length)
  if (bytes.compare(PREFACE, 0, length, 0, length) !== 0) return false
  return length === PREFACE.length ? true : null
}

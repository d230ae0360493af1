import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { CommandError, EXIT, errorCode } from '../terminal/exit.ts'

/**
 * The lines of a file, or of stdin for `-`, without their ends. A line ends with a line feed, and a carriage return before
 * it belongs to the end; the separators U+2028 and U+2029, which may stand in a JSON string, end none. Refused with exit
 * code 1 when the file cannot be read.
 */
export async function linesOf(file: string): Promise<readonly string[]> {
  const input: Readable = file === '-' ? process.stdin : createReadStream(file)
  input.setEncoding('utf8')
  const lines: string[] = []
  let open = ''
  try {
    for await (const chunk of input) {
      const parts = `${open}${String(chunk)}`.split('\n')
      open = parts.pop() ?? ''
      for (const part of parts) lines.push(withoutReturn(part))
    }
  } catch (error) {
    const code = errorCode(error)
    if (code === null) throw error
    throw new CommandError(EXIT.failure, `${file} cannot be read (${code})`, 'Check the path, or use - for stdin.')
  }
  if (open !== '') lines.push(withoutReturn(open))
  return lines
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}

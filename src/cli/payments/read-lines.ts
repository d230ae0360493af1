import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { CommandError, EXIT, errorCode } from '../terminal/exit.ts'

/**
 * The lines of a file, or of stdin for `-`, without their ends. A line ends with a line feed, and a carriage return before
 * it belongs to the end; the separators U+2028 and U+2029, which may stand in a JSON string, end none. Refused with exit
 * code 1 when the file cannot be read.
 */
export async function linesOf(file: string): Promise<readonly string[]> {
  const lines: string[] = []
  let open = ''
  for await (const chunk of chunksOf(file)) {
    const parts = `${open}${chunk}`.split('\n')
    open = parts.pop() ?? ''
    for (const part of parts) lines.push(withoutReturn(part))
  }
  if (open !== '') lines.push(withoutReturn(open))
  return lines
}

/** All of a file's text, or of stdin's for `-`; refused as `linesOf` refuses. */
export async function textOf(file: string): Promise<string> {
  const chunks: string[] = []
  for await (const chunk of chunksOf(file)) chunks.push(chunk)
  return chunks.join('')
}

async function* chunksOf(file: string): AsyncGenerator<string, void, undefined> {
  const input: Readable = file === '-' ? process.stdin : createReadStream(file)
  input.setEncoding('utf8')
  try {
    for await (const chunk of input) yield String(chunk)
  } catch (error) {
    const code = errorCode(error)
    if (code === null) throw error
    throw new CommandError(EXIT.failure, `${file} cannot be read (${code})`, 'Check the path, or use - for stdin.')
  }
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}

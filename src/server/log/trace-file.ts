import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { NodeId } from '../../base/brand.ts'
import { errorText } from '../../base/error-text.ts'
import type { WriteTrace } from '../../trace/line.ts'

/**
 * The file `NODE.trace` of a directory, to which each step of the core is appended as a line of JSON, before anything of it
 * leaves, so that a process that is killed has told all that others can know of it. Throws what the system says where it
 * cannot be opened. `ended` hears that nothing can be written any more: what is there stays true. It lives as long as the
 * process.
 */
export function traceFile(directory: string, node: NodeId, ended: (why: string) => void): WriteTrace {
  mkdirSync(directory, { recursive: true })
  let file: number | null = openSync(join(directory, `${node}.trace`), 'a')
  // Whatever the process before was killed over stays a line of its own.
  let before = '\n'
  return (line) => {
    if (file === null) return
    try {
      writeWhole(file, `${before}${JSON.stringify(line)}\n`)
      before = ''
    } catch (error) {
      closeSync(file)
      file = null
      ended(errorText(error))
    }
  }
}

/** A call may write less than it was given. */
function writeWhole(file: number, text: string): void {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
}

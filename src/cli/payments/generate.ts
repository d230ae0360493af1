import { once } from 'node:events'
import { generateCallbacks } from '../../machines/payments/tools/generate-callbacks.ts'

/** Written together, so that a large file costs few system calls. */
const CHUNK_LINES = 500

/** `holdfast payments generate`: the lines go to stdout, and wait while whoever reads them is slower. */
export async function generate(flags: { readonly count: number; readonly seed: number }): Promise<void> {
  let chunk: string[] = []
  for (const line of generateCallbacks(flags)) {
    chunk.push(line)
    if (chunk.length < CHUNK_LINES) continue
    await write(chunk)
    chunk = []
  }
  if (chunk.length > 0) await write(chunk)
}

async function write(lines: readonly string[]): Promise<void> {
  if (!process.stdout.write(`${lines.join('\n')}\n`)) await once(process.stdout, 'drain')
}

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { executablePath } from '../../src/cli/package-root.ts'

export interface RefusedStart {
  readonly exitCode: number | null
  readonly stdout: string
  /** What a person reads, on one line. */
  readonly words: string
}

/** Runs `holdfast start` with these words and waits for its end. A node that starts all the same is killed with the test. */
export async function refusedStart(words: readonly string[]): Promise<RefusedStart> {
  const child = spawn(process.execPath, [executablePath(), 'start', ...words, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => {
    const pieces: Buffer[] = []
    stream.on('data', (piece: Buffer) => pieces.push(piece))
    return pieces
  })
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve))
  const text = (pieces: readonly Buffer[] | undefined): string => Buffer.concat(pieces ?? []).toString()
  return { exitCode, stdout: text(stdout), words: text(stderr).replaceAll('\n', ' ') }
}

/** Every path below a directory with the hash of its content: equal before and after means that nothing was touched. */
export function contentsOf(path: string): { readonly [path: string]: string } {
  const found: { [path: string]: string } = {}
  const visit = (current: string): void => {
    if (lstatSync(current).isDirectory()) for (const name of readdirSync(current).sort()) visit(join(current, name))
    else found[current] = createHash('sha256').update(readFileSync(current)).digest('hex')
  }
  visit(path)
  return found
}

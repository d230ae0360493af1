import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { packageFacts } from '../../src/cli/package-root.ts'
import { machineFacts } from '../load/machine-facts.ts'
import type { Planned } from './plan.ts'
import type { Stored } from './stored.ts'

/** Runs one bench as a process of its own. Rejects, once it has cleaned up and ended, when the signal is aborted. */
export async function runBench(
  { bench, full, quick }: Planned,
  { isQuick, ended }: { readonly isQuick: boolean; readonly ended: AbortSignal },
): Promise<Stored> {
  const parameters = [bench, '--json', ...(isQuick ? quick : full)]
  const begun = machineFacts()
  const begunAt = performance.now()
  const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'main.js'), ...parameters], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const end = (): void => void child.kill('SIGTERM')
  ended.addEventListener('abort', end, { once: true })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  const [exitCode] = (await once(child, 'close')) as [number | null]
  ended.removeEventListener('abort', end)
  ended.throwIfAborted()
  return {
    bench,
    arguments: parameters.slice(1),
    quick: isQuick,
    at: new Date().toISOString(),
    commit: commitOf(packageFacts().root),
    node: begun.node,
    cpus: cpus().length,
    model: begun.model,
    load: [begun.load, machineFacts().load],
    seconds: Math.round((performance.now() - begunAt) / 1000),
    exitCode,
    result: lastObject(text),
  }
}

/** The last line, where it is an object. */
function lastObject(text: string): unknown {
  try {
    return JSON.parse(text.trimEnd().split('\n').at(-1) ?? '')
  } catch {
    return null
  }
}

function commitOf(root: string): string | null {
  const git = (...parameters: string[]): string =>
    execFileSync('git', ['-C', root, ...parameters], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', 'src', 'bench/*.ts')
    return `${git('rev-parse', '--short=12', 'HEAD')}${changed === '' ? '' : '+'}`
  } catch {
    return null
  }
}

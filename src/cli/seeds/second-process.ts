import { spawn } from 'node:child_process'
import { executablePath } from '../package-root.ts'
import type { SeedSource, Workload } from './workloads.ts'

/** One seed in so many runs again in another process; of the core alone fewer: a process takes longer to start than a seed. */
export function twiceEvery(workload: Workload): number {
  return workload === 'core' ? 1000 : 100
}

/** Characters of what the process wrote that are told, at most. */
const ERRORS_MAX = 2000

/** What came of a seed in a process of its own: its hash, or why there is none. */
export type Elsewhere = { readonly hash: string } | { readonly failure: string }

/** Runs a seed in a process of its own, which has the options of Node.js that this one has. */
export async function runElsewhere({ workload, machines }: SeedSource, seed: number): Promise<Elsewhere> {
  const words = ['sim', '--workload', workload, '--seed', String(seed), '--seeds', '1', '--jobs', '1', '--json']
  if (machines !== undefined) words.push('--machines', machines)
  // Two processes cannot be inspected at one port.
  const options = process.execArgv.filter((option) => !option.startsWith('--inspect'))
  const child = spawn(process.execPath, [...options, executablePath(), ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, errors] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-ERRORS_MAX)
  })
  const ended = await new Promise<string>((resolve) => {
    child.on('close', (code, signal) => resolve(`it ended with ${code ?? signal}`))
    child.on('error', ({ message }) => resolve(message))
  })
  const hash = /"hash":"(\w+)"/.exec(out)?.[1]
  return hash === undefined ? { failure: [ended, errors.trim()].join('\n').trim() } : { hash }
}

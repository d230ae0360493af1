import { spawn } from 'node:child_process'
import { executablePath } from '../package-root.ts'
import { CommandError, EXIT } from '../terminal/exit.ts'
import type { SeedSource } from './workloads.ts'

/** One seed in so many runs again, in another process. */
export const TWICE_EVERY = 100

/** The hash that a seed gives in a process of its own. Rejects with CommandError when that says none. */
export async function hashElsewhere({ workload, machines }: SeedSource, seed: number): Promise<string> {
  const words = ['sim', '--workload', workload, '--seed', String(seed), '--seeds', '1', '--jobs', '1', '--json']
  const child = spawn(
    process.execPath,
    [executablePath(), ...words, ...(machines === undefined ? [] : ['--machines', machines])],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  )
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject))
  const hash = /"hash":"(\w+)"/.exec(out)?.[1]
  if (hash !== undefined) return hash
  throw new CommandError(
    EXIT.failure,
    `seed ${seed} of ${workload} gave no result in a second process`,
    'Run it by itself.',
  )
}

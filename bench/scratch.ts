import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { packageFacts } from '../src/cli/package-root.ts'
import { rejected } from './rejected.ts'

/**
 * Gives `run` an empty directory and removes it afterwards; rejects early when this process is told to end, so that `run`'s
 * own clean-up still happens. It lies beside the checkout's own data, not in the temporary directory, which may be memory and
 * sync for free; and within the package, so that a module in it finds the package's dependencies.
 */
export async function inScratch<Result>(
  run: (directory: string, ended: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const parent = join(packageFacts().root, 'data')
  mkdirSync(parent, { recursive: true })
  const directory = mkdtempSync(join(parent, 'bench-'))
  // A server that refuses to be root runs as somebody else, in a folder of his below this one.
  chmodSync(directory, 0o711)
  const ended = new AbortController()
  const end = (signal: NodeJS.Signals): void => ended.abort(new Error(signal))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end)
  try {
    return await run(directory, ended.signal)
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, end)
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Runs `work` on what `start` gave and stops that afterwards, also when this process is told to end meanwhile. */
export async function whileStarted<Peer extends { stop(): Promise<unknown> }, Result>(
  peer: Peer,
  ended: AbortSignal,
  work: (peer: Peer) => Promise<Result>,
): Promise<Result> {
  try {
    return await Promise.race([work(peer), rejected(ended)])
  } finally {
    await peer.stop()
  }
}

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** None of these programs takes long; one that does hangs. */
const RUN_MS_MAX = 20_000

/** Runs a program to its end, and gives what it wrote; rejects with its last words. */
export async function run(name: string, parameters: readonly string[]): Promise<string> {
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`
  try {
    const options = { timeout: RUN_MS_MAX, env: { ...process.env, PATH: path } }
    const { stdout } = await execute(name, [...parameters], options)
    return stdout
  } catch (error) {
    const words = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error)
    throw new Error(`${name} ${parameters.join(' ')}: ${words === '' ? String(error) : words}`, { cause: error })
  }
}

/** The same where it is no matter whether it can be done. */
export async function attempt(name: string, parameters: readonly string[]): Promise<boolean> {
  return run(name, parameters).then(
    () => true,
    () => false,
  )
}

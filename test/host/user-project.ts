import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { ROOT } from '../tidy/tree.ts'

/**
 * A folder of somebody who installed the package: `holdfast` and `zod` are in its node_modules, and these
 * files in it. What is compiled is what it has: call `compileOnce` before.
 */
export function userProject(files: { readonly [path: string]: string } = {}): string {
  return userProjectFor(onTestFinished, files)
}

/** The same, removed when `over` (`onTestFinished`, `afterAll`) says so. */
export function userProjectFor(
  over: (remove: () => void) => void,
  files: { readonly [path: string]: string } = {},
): string {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-user-'))
  over(() => rmSync(directory, { recursive: true, force: true }))
  mkdirSync(join(directory, 'node_modules'))
  symlinkSync(ROOT, join(directory, 'node_modules', 'holdfast'))
  symlinkSync(join(ROOT, 'node_modules', 'zod'), join(directory, 'node_modules', 'zod'))
  for (const [path, text] of Object.entries({ 'package.json': '{"type":"module"}', ...files })) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  return directory
}

/** Runs Node.js there until it ends by itself; it is killed with the test. */
export async function runNode(
  directory: string,
  words: readonly string[],
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [...words], { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, out, err }
}

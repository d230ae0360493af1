import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Shim } from './shim.ts'

const DIST = fileURLToPath(new URL('../../../dist/src/storage', import.meta.url))

/**
 * Runs the body of an async function in a process under the shim and returns what it returns, which must be JSON. `disk`
 * is a `NodeDisk` on the shim's root, `load` imports a module of the compiled storage room, `call` turns a function that
 * takes a callback into a promise of what the callback gets.
 */
export function underShim(shim: Shim, body: string): unknown {
  const script = `
    const load = (path) => import('file://${DIST}/' + path)
    const call = (run) => new Promise((resolve) => run((...answer) => resolve(answer.length > 1 ? answer : answer[0])))
    const { NodeDisk } = await load('disk/node-disk.js')
    const root = process.env.HOLDFAST_SHIM_ROOT
    const disk = new NodeDisk(root)
    const answer = await (async () => { ${body} })()
    process.stdout.write(JSON.stringify(answer))
  `
  const words = ['--input-type=module', '-e', script]
  const env = { ...process.env, ...shim.environment() }
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { env })
  if (status !== 0) throw new Error(`the script ended with ${status}: ${stderr.toString()}`)
  return JSON.parse(stdout.toString())
}

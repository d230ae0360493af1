import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { executablePath } from '../../src/cli/package-root.ts'

const MODULE = pathToFileURL(join(dirname(executablePath()), 'compile-eagerly.js')).href
const FUNCTIONS = 500

/** Bytes of code that a process has made of a module of functions nobody calls. */
async function compiledBytes(first: string): Promise<number> {
  const program = `
    import { getHeapCodeStatistics } from 'node:v8'
    ${first}
    const functions = Array.from({ length: ${FUNCTIONS} }, (_, at) =>
      'export function f' + at + '(a, b) { const sum = a + b; return sum > ' + at + ' ? [a, b, sum] : { a, b } }')
    const before = getHeapCodeStatistics().bytecode_and_metadata_size
    await import('data:text/javascript,' + encodeURIComponent(functions.join('\\n')))
    console.log(getHeapCodeStatistics().bytecode_and_metadata_size - before)
  `
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program])
  return Number(stdout)
}

test('after compileEagerly what is loaded is compiled before anything calls it', async () => {
  const lazily = await compiledBytes('')
  const eagerly = await compiledBytes(`(await import(${JSON.stringify(MODULE)})).compileEagerly()`)
  expect(eagerly - lazily).toBeGreaterThan(FUNCTIONS * 20)
})

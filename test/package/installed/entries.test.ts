import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runNode } from '../../host/user-project.ts'
import { ROOT } from '../../tidy/tree.ts'
import { lockedVersion, packed, packedProject } from '../packed.ts'

const MANIFEST: { readonly version: string; readonly exports: { readonly [entry: string]: unknown } } = JSON.parse(
  readFileSync(join(ROOT, 'package.json'), 'utf8'),
)
const ENTRIES = Object.keys(MANIFEST.exports).map((entry) => entry.replace(/^\./, 'holdfast'))

describe('the package that is installed from its tarball', () => {
  test('every entry of exports is imported, and exports something', async () => {
    const directory = await packedProject({
      'all.mjs': `
        const entries = ${JSON.stringify(ENTRIES)}
        const found = await Promise.all(entries.map(async (entry) => [entry, Object.keys(await import(entry)).length > 0]))
        console.log(JSON.stringify(Object.fromEntries(found)))
      `,
    })
    const { code, out, err } = await runNode(directory, ['all.mjs'])
    expect([code, err]).toEqual([0, ''])
    expect(JSON.parse(out)).toEqual(Object.fromEntries(ENTRIES.map((entry) => [entry, true])))
  })

  test('a path into dist is no entry', async () => {
    const directory = await packedProject({ 'deep.mjs': `import 'holdfast/dist/src/index.js'` })
    expect(await runNode(directory, ['deep.mjs'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('ERR_PACKAGE_PATH_NOT_EXPORTED'),
    })
  })

  test("the machine's schemas are of the user's zod, of which there is one", async () => {
    const { installed } = await packed()
    expect(existsSync(join(installed, 'node_modules', 'holdfast', 'node_modules', 'zod'))).toBe(false)
    const directory = await packedProject({
      'one.mjs': `
        import { createRequire } from 'node:module'
        import { realpathSync } from 'node:fs'
        import { z } from 'zod'
        import { counter } from 'holdfast/machines'
        const own = import.meta.resolve('zod')
        const theirs = createRequire(import.meta.resolve('holdfast')).resolve('zod')
        const { version } = createRequire(import.meta.url)('zod/package.json')
        console.log(JSON.stringify({
          version,
          same: counter.commands.increment.input instanceof z.ZodType,
          object: counter.commands.increment.input.constructor === z.object({}).constructor,
          place: realpathSync(theirs).startsWith(realpathSync(new URL('.', own))),
        }))
      `,
    })
    const { out, err } = await runNode(directory, ['one.mjs'])
    expect(err).toBe('')
    expect(JSON.parse(out)).toEqual({ version: lockedVersion('zod'), same: true, object: true, place: true })
  })

  test('its command line tells its version', async () => {
    const { installed } = await packed()
    const { out, err, code } = await runNode(installed, [join('node_modules', '.bin', 'holdfast'), '--version'])
    expect({ out: out.trim(), err, code }).toEqual({ out: MANIFEST.version, err: '', code: 0 })
  })
})

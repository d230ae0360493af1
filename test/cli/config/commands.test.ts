import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { executablePath } from '../../../src/cli/package-root.ts'
import { compileOnce } from '../../cluster/processes.ts'
import { runNode, userProject } from '../../host/user-project.ts'

beforeAll(compileOnce, 120_000)

const MACHINES = `
import { defineMachine } from 'holdfast'
export const lamp = defineMachine('lamp', { version: 3, state: {}, errors: {} }, { commands: {} })
`
const CONFIG = `
import { defineConfig } from 'holdfast'
export default defineConfig({ machines: 'machines.ts', data: '../state', id: 'n1', peers: { n1: '127.0.0.1:0' }, logLevel: 'error' })
`

/** The command line in a folder with a configuration file below it, which names machines and data beside it. */
async function project(): Promise<{ directory: string; run(words: readonly string[]): ReturnType<typeof runNode> }> {
  const directory = userProject({ 'conf/holdfast.config.ts': CONFIG, 'conf/machines.ts': MACHINES })
  return { directory, run: (words) => runNode(directory, [executablePath(), ...words]) }
}

describe('holdfast config', () => {
  test('shows every setting with its origin, of a file in TypeScript too, as a table or JSON', async () => {
    const { directory, run } = await project()
    const shown = await run([
      'config',
      'show',
      '--config',
      'conf/holdfast.config.ts',
      '--id',
      'n1',
      '--origin',
      '--json',
    ])
    expect(shown).toMatchObject({ err: '', code: 0 })
    expect(JSON.parse(shown.out)).toMatchObject({
      machines: { value: join(directory, 'conf', 'machines.ts'), origin: 'conf/holdfast.config.ts: machines' },
      data: { value: join(directory, 'state'), origin: 'conf/holdfast.config.ts: data' },
      id: { value: 'n1', origin: '--id' },
      peers: { value: { n1: '127.0.0.1:0' } },
      logLevel: { value: 'error', origin: 'conf/holdfast.config.ts: logLevel' },
      insecure: { value: false, origin: 'default' },
      development: { value: false, origin: 'default' },
    })
    const { out } = await run(['config', 'show', '--origin'])
    expect(out).toMatch(/^setting +value +from\nmachines +- +default\n/)
  })

  test('checks the file of this folder and its machines, and start refuses what it refuses', async () => {
    const { directory, run } = await project()
    const checked = await run(['config', 'check', '--config', 'conf/holdfast.config.ts'])
    expect(checked).toMatchObject({ err: '', code: 0 })
    expect(checked.out).toContain('no mistake found; machines: lamp v3')
    mkdirSync(join(directory, 'state'))
    writeFileSync(join(directory, 'holdfast.config.yaml'), 'id: n1\nlimit: {}\npeers: { n2: "127.0.0.1:1" }\n')
    for (const words of [
      ['config', 'check'],
      ['start', '--data', 'state'],
    ]) {
      const { code, out, err } = await run(words)
      expect(err).toContain('holdfast.config.yaml: limit: is unknown; did you mean limits?')
      expect([code, out]).toEqual([2, ''])
    }
    writeFileSync(join(directory, 'holdfast.config.mjs'), 'export default {}')
    expect((await run(['config', 'check'])).err).toContain('holdfast.config.mjs and holdfast.config.yaml both lie here')
  })
})

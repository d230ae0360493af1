import { writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readSettings, type TypedFlags } from '../../../src/cli/config/read-settings.ts'
import { SETTING_NAMES, type SettingName, SETTINGS } from '../../../src/cli/config/settings.ts'
import { CommandError, EXIT } from '../../../src/cli/terminal/exit.ts'
import { temporaryDirectory } from '../../cluster/processes.ts'

/** A configuration file, and its path as a person would call it. */
async function configFile(text: string, name = 'holdfast.config.yaml'): Promise<{ path: string; shown: string }> {
  const path = join(await temporaryDirectory(), name)
  writeFileSync(path, text)
  return { path, shown: relative(process.cwd(), path) }
}

async function refusal(flags: TypedFlags, required: SettingName[] = [], environment = {}): Promise<CommandError> {
  const error = await readSettings(flags, required, environment).then(
    () => null,
    (failure: unknown) => failure,
  )
  if (error instanceof CommandError) return error
  throw new Error(`not refused: ${String(error)}`)
}

describe('settings', () => {
  test('are called by one name everywhere', () => {
    for (const name of SETTING_NAMES) {
      const dashed = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
      expect(SETTINGS[name].flag).toBe(`--${dashed}`)
      expect(SETTINGS[name].environment).toBe(`HOLDFAST_${dashed.replaceAll('-', '_').toUpperCase()}`)
    }
  })

  test('are read from the flag before the environment before the file, each with its origin', async () => {
    const { path, shown } = await configFile('id: n3\nlogLevel: error\ndata: here\npeers: { n3: "c:3" }\n')
    const { values, origins } = await readSettings({ config: path, id: 'n1' }, [], {
      HOLDFAST_ID: 'n2',
      HOLDFAST_LOG_LEVEL: 'debug',
    })
    expect(values).toMatchObject({ id: 'n1', logLevel: 'debug', data: join(path, '..', 'here') })
    expect(values.peers).toEqual([{ id: 'n3', address: { host: 'c', port: 3 } }])
    expect(origins).toEqual({
      id: '--id',
      logLevel: 'HOLDFAST_LOG_LEVEL',
      data: `${shown}: data`,
      peers: `${shown}: peers`,
    })
  })

  test('mean the same in every form', async () => {
    const fields =
      'endpoints: [a:1, b:2]\npeers: { n1: a:1, n2: b:2 }\nlisten: "[::1]:0"\nlimits: { windowRequests: 64 }\ninsecure: true\n'
    const { path } = await configFile(fields)
    const text = {
      ENDPOINTS: 'a:1,b:2',
      PEERS: 'n1=a:1,n2=b:2',
      LISTEN: '[::1]:0',
      LIMITS: 'windowRequests=64',
      INSECURE: 'true',
    }
    const environment = Object.fromEntries(Object.entries(text).map(([name, value]) => [`HOLDFAST_${name}`, value]))
    const flags = {
      endpoints: text.ENDPOINTS,
      peers: text.PEERS,
      listen: text.LISTEN,
      limits: text.LIMITS,
      insecure: true,
    }
    const { values } = await readSettings({ config: path }, [], {})
    expect(values).toMatchObject({ limits: { windowRequests: 64 }, insecure: true, listen: { host: '::1', port: 0 } })
    expect((await readSettings({}, [], environment)).values).toEqual(values)
    expect((await readSettings(flags, [], {})).values).toEqual(values)
    expect((await readSettings({}, [], { HOLDFAST_CONFIG: path })).values).toEqual(values)
  })

  test('are refused all at once, each with where it stands and what was meant', async () => {
    const { path, shown } = await configFile(
      'logLvel: info\nlimits: { comandBytesMax: 5, windowRequests: -1, attemptsMax: many }\npeers: { n1: nowhere }\nlisten: 4600\n',
    )
    const error = await refusal({ config: path, data: '' }, ['id', 'peers', 'data'], { HOLDFAST_LOG_LEVEL: 'wran' })
    expect(error.exitCode).toBe(EXIT.usage)
    expect(error.message.split('\n').map((line) => line.trim())).toEqual([
      '7 settings cannot be used:',
      `${shown}: logLvel: is unknown; did you mean logLevel?`,
      '--id: is not given; neither HOLDFAST_ID nor a holdfast.config file has it',
      '--data: It must name a directory.',
      `${shown}: peers.n1: is "nowhere", which is not an address; write host:port, as in 127.0.0.1:4600 or [::1]:4600`,
      `${shown}: listen: must be host:port`,
      `${shown}: limits.attemptsMax: must be a number`,
      'HOLDFAST_LOG_LEVEL: must be one of debug, info, warn, error, silent; did you mean warn?',
    ])
    const limits = await refusal({ limits: 'comandBytesMax=5,windowRequests=0' }, [], {})
    expect(limits.message).toMatch(
      /--limits comandBytesMax: is unknown; did you mean commandBytesMax\?\n {2}--limits windowRequests: /,
    )
  })

  test('that contradict each other are refused with both origins', async () => {
    const error = await refusal({ id: 'n4', data: 'd' }, ['id', 'peers', 'data'], { HOLDFAST_PEERS: 'n1=a:1' })
    expect(error.message).toMatch(/^HOLDFAST_PEERS: does not name the node n4 \(--id\)/)
  })

  test.each([
    ['id: n1\npeers: [a\n', /at line \d, column \d+/],
    ['- a\n- b\n', /holds no settings/],
    ['data: a\ndata: b\n', /unique.*at line 2/],
  ])('in a file that is no record of them are refused: %j', async (text, words) => {
    const { path, shown } = await configFile(text)
    const error = await refusal({ config: path })
    expect(error.message).toContain(shown)
    expect(error.message).toMatch(words)
  })

  test('of a file that is not there are refused by what names it; an empty file says nothing', async () => {
    expect((await refusal({ config: 'gone.yaml' })).message).toMatch(/^--config: there is no file .*gone\.yaml/)
    expect((await refusal({}, [], { HOLDFAST_CONFIG: 'gone.ts' })).message).toMatch(
      /^HOLDFAST_CONFIG: there is no file/,
    )
    const { path } = await configFile('')
    expect((await readSettings({ config: path }, [], {})).values).toEqual({})
  })
})

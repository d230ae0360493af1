import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ROOT } from '../tidy/tree.ts'

/** Stands for the compiler: writes one output per source, notes that it ran, and fails on a source that says so. */
const COMPILER = `
const fs = require('node:fs')
const out = process.argv[process.argv.indexOf('--outDir') + 1]
fs.appendFileSync('compilations', 'x')
fs.mkdirSync(out + '/src/cli', { recursive: true })
for (const name of fs.readdirSync('src/cli')) {
  const text = fs.readFileSync('src/cli/' + name, 'utf8')
  if (text.includes('mistake')) process.exit(2)
  fs.writeFileSync(out + '/src/cli/' + name.replace('.ts', '.js'), text)
}
`

let project = ''

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'holdfast-setup-'))
  cpSync(join(ROOT, '.scripts/setup.mjs'), join(project, '.scripts/setup.mjs'))
  mkdirSync(join(project, 'src/cli'), { recursive: true })
  mkdirSync(join(project, 'node_modules/typescript/bin'), { recursive: true })
  const file = (path: string, text: string): void => writeFileSync(join(project, path), text)
  file('node_modules/typescript/bin/tsc', COMPILER)
  file('node_modules/.package-lock.json', '{"packages":{"node_modules/a":{"version":"1.0.0"}}}')
  file(
    'package-lock.json',
    '{"packages":{"":{},"node_modules/a":{"version":"1.0.0"},"node_modules/b":{"optional":true}}}',
  )
  file('tsconfig.json', '{}')
  file('src/cli/main.ts', 'one')
})

afterEach(() => rmSync(project, { recursive: true }))

interface Ended {
  readonly code: number | null
  readonly said: string
}

function setUp(nodeArguments: string[] = [], environment: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...nodeArguments, join(project, '.scripts/setup.mjs')], {
      env: { ...process.env, ...environment },
    })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    child.on('close', (code) => resolve({ code, said }))
  })
}

const compilations = (): number => readFileSync(join(project, 'compilations'), 'utf8').length
const output = (name: string): string => readFileSync(join(project, 'dist/src/cli', name), 'utf8')

describe('setting up a checkout', () => {
  test('the first run compiles and links an executable, the next is silent and does nothing', async () => {
    expect(await setUp()).toMatchObject({ code: 0 })
    expect(statSync(join(project, 'node_modules/.bin/holdfast')).mode & 0o111).toBe(0o111)
    expect(await setUp()).toEqual({ code: 0, said: '' })
    expect(compilations()).toBe(1)
  })

  test('a changed source is compiled again, and the output of a removed one goes', async () => {
    writeFileSync(join(project, 'src/cli/other.ts'), 'other')
    await setUp()
    writeFileSync(join(project, 'src/cli/main.ts'), 'three')
    rmSync(join(project, 'src/cli/other.ts'))
    await setUp()
    expect(output('main.js')).toBe('three')
    expect(existsSync(join(project, 'dist/src/cli/other.js'))).toBe(false)
    expect(readdirSync(project).filter((name) => name.startsWith('.dist-'))).toEqual([])
  })

  test('sources that do not compile leave the last good output, and fail with a sentence', async () => {
    await setUp()
    writeFileSync(join(project, 'src/cli/main.ts'), 'mistake')
    expect(await setUp()).toMatchObject({ code: 1, said: expect.stringContaining('the sources do not compile') })
    expect(output('main.js')).toBe('one')
    expect(readdirSync(join(project, '.scripts'))).toEqual(['setup.mjs'])
  })

  test('several at once do the work once', async () => {
    const ended = await Promise.all([setUp(), setUp(), setUp(), setUp()])
    expect(ended.map((one) => one.code)).toEqual([0, 0, 0, 0])
    expect(compilations()).toBe(1)
    expect(readdirSync(join(project, '.scripts'))).toEqual(['setup.mjs'])
  })

  test('a lock left behind by a process that is gone is taken over', async () => {
    writeFileSync(join(project, '.scripts/.setup.lock'), '999999999')
    expect(await setUp()).toMatchObject({ code: 0 })
    expect(readdirSync(join(project, '.scripts'))).toEqual(['setup.mjs'])
  })

  test('packages that do not match the lock file are installed with npm ci', async () => {
    writeFileSync(
      join(project, 'node_modules/.package-lock.json'),
      '{"packages":{"node_modules/a":{"version":"0.9.0"}}}',
    )
    const npm = join(project, 'npm.js')
    writeFileSync(npm, "require('node:fs').writeFileSync('installed', process.argv.slice(2).join(' '))")
    expect(await setUp([], { npm_execpath: npm })).toMatchObject({ code: 0 })
    expect(readFileSync(join(project, 'installed'), 'utf8')).toBe('ci --no-audit --no-fund --loglevel=error')
  })

  test('a Node.js that is too old is told so', async () => {
    const pretend = "Object.defineProperty(process, 'versions', { value: { node: '20.18.3' } })"
    const ended = await setUp(['--import', `data:text/javascript,${encodeURIComponent(pretend)}`])
    expect(ended.code).toBe(1)
    expect(ended.said).toContain('needs Node.js 20.19 or newer; this is 20.18.3')
  })
})

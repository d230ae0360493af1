import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { executablePath } from '../../../src/cli/package-root.ts'
import { program } from '../../../src/cli/program.ts'
import { compileOnce } from '../../cluster/processes.ts'
import { userProjectFor } from '../../host/user-project.ts'
import { ROOT } from '../../tidy/tree.ts'

const STOCK = `
import { command, defineMachine, table, transitions } from 'holdfast'
import { z } from 'zod'
export const counter = defineMachine('counter', { version: 1, state: {}, errors: {} }, {
  commands: { increment: command({ input: z.object({ name: z.string(), by: z.int() }), output: z.int() }, (_ctx, { by }) => by) },
})
export const stock = defineMachine('stock', { version: 1, state: { items: table(z.string(), z.int()) }, errors: { EMPTY: z.object({}) },
  graphs: { shelf: transitions({ full: { take: 'empty' }, empty: { fill: 'full' } }) } }, {
  commands: {
    add: command({ input: z.object({ item: z.string(), count: z.int() }), output: z.int() }, (ctx, { item, count }) => {
      const next = (ctx.state.items.get(item) ?? 0) + count
      if (next < 0) return ctx.reject('EMPTY', {})
      ctx.state.items.set(item, next)
      return next
    }),
    echo: command({ input: z.instanceof(Uint8Array), output: z.instanceof(Uint8Array) }, (_ctx, bytes) => bytes),
  },
})
`

/** Runs one command line after the other in one process, which is quicker than a process for each. */
const LINES = `
import { createInterface } from 'node:readline'
import { startEmbedded } from 'holdfast/server'
import { connect } from 'holdfast/client'
import { loadMachines } from ${JSON.stringify(join(ROOT, 'dist/src/cli/machines/load-machines.js'))}
import { run } from ${JSON.stringify(join(ROOT, 'dist/src/cli/run.js'))}
const machines = await loadMachines('machines.ts')
const node = await startEmbedded({ dataDirectory: 'stopped', listen: '127.0.0.1:0', machines })
const session = await connect({ embedded: node, principal: 'user:ada' })
await session.execute('stock', 'add', { item: 'chair', count: 2 })
await node.close()
const write = process.stdout.write.bind(process.stdout)
for await (const line of createInterface({ input: process.stdin })) {
  const said = { out: '', err: '' }
  process.stdout.write = (text) => ((said.out += text), true)
  process.stderr.write = (text) => ((said.err += text), true)
  const code = await run(['node', 'holdfast', ...JSON.parse(line)])
  write(JSON.stringify({ code, ...said }) + '\\n')
}
`

const project = userProjectFor(afterAll, { 'machines.ts': STOCK, 'lines.mjs': LINES })
const children: ChildProcess[] = []
let answers: AsyncIterator<string>

function start(words: readonly string[], environment: { readonly [name: string]: string } = {}): AsyncIterator<string> {
  const env = { ...process.env, ...environment }
  const child = spawn(process.execPath, [...words], { cwd: project, env, stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  return createInterface({ input: child.stdout })[Symbol.asyncIterator]()
}

const LIGHTS = `
import { createMachine } from 'xstate'
import { fromXState } from 'holdfast/xstate'
const walk = createMachine({ id: 'walk', initial: 'going', states: { going: { on: { OVER: 'over' } }, over: { type: 'final' } } })
const chart = createMachine(
  { id: 'lights', initial: 'green', states: { green: { after: { 60: 'red' } }, red: { invoke: { src: 'walk', onDone: 'green' } } } },
  { actors: { walk } },
)
export const lights = fromXState(chart, { name: 'lights', version: 1 })
`

beforeAll(async () => {
  compileOnce()
  const words = ['dev', '--json', '--listen', '127.0.0.1:0', '--machines', './machines.ts']
  const { value } = await start([executablePath(), ...words]).next()
  answers = start(['lines.mjs'], { HOLDFAST_ENDPOINTS: JSON.parse(value).address })
  await holdfast('backup', 'create', 'monday.hfb', '--with-log')
}, 120_000)

afterAll(async () => {
  for (const child of children.reverse()) {
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
  }
})

/** Runs a command line against the server; one at a time. */
async function holdfast(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  children.at(-1)?.stdin?.write(`${JSON.stringify(words)}\n`)
  const { value } = await answers.next()
  return JSON.parse(value)
}

/** The examples in the help of a command and of those below it. */
function examplesOf(command: Command): string[] {
  let help = ''
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp()
  const own = [...help.matchAll(/^ {2}(holdfast .*)$/gm)].map(([, line = '']) => line)
  return [...own, ...command.commands.flatMap(examplesOf)]
}

/** Words of a shell line, as far as the examples use quotes; where it sends stdout is left out. */
function wordsOf(line: string): string[] {
  return [...line.replace(/ > \S+$/, '').matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
}

const VERBS = program(() => undefined).commands.filter((command) => ['machine', 'replay'].includes(command.name()))

test.each(VERBS.flatMap(examplesOf))('the example in the help works: %s', async (line) => {
  const { code, out } = await holdfast(...wordsOf(line).slice(1))
  expect(code).toBe(0)
  expect(out).not.toBe('')
})

describe('machine list', () => {
  test('says the same as table, json and jsonl', async () => {
    const json = JSON.parse((await holdfast('machine', 'list', '--json')).out)
    expect(json.machines).toMatchObject(
      ['counter', 'stock'].map((machine) => ({ machine, node: 'n1', active: 1, versions: [1], differs: [] })),
    )
    const lines = (await holdfast('machine', 'list', '-o', 'jsonl')).out.trim().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual(json.machines)
    const table = (await holdfast('machine', 'list')).out
    expect(table).toContain(json.machines[0].schema.slice(0, 12))
  })
})

describe('machine check', () => {
  test('refuses a module with another schema at an equal version, and says where it differs', async () => {
    writeFileSync(join(project, 'other.ts'), STOCK.replace('count: z.int() })', 'count: z.number() })'))
    const { code, out } = await holdfast('machine', 'check', '--machines', './other.ts', '--json')
    expect(code).toBe(4)
    expect(JSON.parse(out).findings).toMatchObject([{ severity: 'error', what: 'schema' }])
    expect(JSON.parse(out).findings[0].path).toMatch(/^commands\.add\.input\.shape\.count\./)
  })

  test('warns of other handlers only, and refuses a module without the machine', async () => {
    writeFileSync(join(project, 'handlers.ts'), STOCK.replace('+ count', '+ count * 1'))
    expect(await holdfast('machine', 'check', '--machines', './handlers.ts')).toMatchObject({
      code: 0,
      out: expect.stringContaining('other handlers than n1'),
    })
    writeFileSync(join(project, 'gone.ts'), STOCK.replace("'stock'", "'shop'"))
    expect(await holdfast('machine', 'check', '--machines', './gone.ts')).toMatchObject({
      code: 4,
      out: expect.stringContaining('stock: version 1 runs, and the module has no such machine'),
    })
  })
})

describe('machine check --data', () => {
  test('says of a stopped node what its start with the module would do, as table and as JSON', async () => {
    writeFileSync(join(project, 'other.ts'), STOCK.replace('count: z.int() })', 'count: z.number() })'))
    const words = ['machine', 'check', '--data', './stopped', '--machines']
    expect(await holdfast(...words, './machines.ts')).toMatchObject({ code: 0, out: expect.stringContaining('same') })
    const { code, out } = await holdfast(...words, './other.ts', '--against', './machines.ts', '--json')
    expect(code).toBe(4)
    const [counter, stock] = JSON.parse(out).machines
    expect(counter).toMatchObject({ machine: 'counter', version: 1, verdict: 'ok', active: true })
    expect(stock).toMatchObject({ machine: 'stock', verdict: 'differs', handlers: 'same' })
    expect(stock.path).toMatch(/^commands\.add\.input\.shape\.count\./)
  })

  test('refuses a cluster and a directory at once, a directory that is none, and --against without one', async () => {
    const words = ['machine', 'check', '--machines', './machines.ts']
    expect((await holdfast(...words, '--data', './stopped', '--endpoints', '127.0.0.1:1')).code).toBe(2)
    expect((await holdfast(...words, '--against', './machines.ts')).code).toBe(2)
    expect(await holdfast(...words, '--data', './nowhere')).toMatchObject({ code: 1, out: '' })
  })
})

describe('machine send', () => {
  const sent = (...words: string[]) => holdfast('machine', 'send', 'stock', ...words)

  test('executes a command once and prints its outcome, bytes as base64', async () => {
    expect(await sent('add', '{"item":"chair","count":2}')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^ok at index \d+: 2\n$/),
    })
    const { out } = await sent('echo', '{"$bytes":"AQID"}', '--json')
    expect(JSON.parse(out)).toMatchObject({ kind: 'ok', value: { $bytes: 'AQID' } })
  })

  test('ends with 4 for what is refused, by the machine or before it, and with 2 for no JSON', async () => {
    expect(await sent('add', '{"item":"lamp","count":-1}')).toMatchObject({ code: 4, out: 'rejected: EMPTY {}\n' })
    const unknown = await sent('burn', '{}', '-o', 'jsonl')
    expect(unknown.code).toBe(4)
    expect(JSON.parse(unknown.out)).toMatchObject({ kind: 'notExecuted', code: 'UNKNOWN_COMMAND' })
    expect(await sent('add', '{item}')).toMatchObject({ code: 2, out: '', err: expect.stringContaining('is no JSON') })
  })
})

describe('machine diagram', () => {
  const drawn = (...words: string[]) => holdfast('machine', 'diagram', 'stock', '--machines', './machines.ts', ...words)

  test('draws the graph that the schema declares', async () => {
    expect((await drawn()).out).toBe(
      'stateDiagram-v2\n  [*] --> full\n  full --> empty : take\n  empty --> full : fill\n',
    )
    expect((await drawn('--format', 'ascii')).out).toBe('* full\n    take--> empty\n  empty\n    fill--> full\n')
    expect((await drawn('--format', 'dot')).out).toContain('"full" -> "empty" [label="take"]')
  })

  test('tells whether a committed file still holds it', async () => {
    writeFileSync(join(project, 'stock.txt'), `# Stock\n${(await drawn()).out}`)
    expect(await drawn('--check', './stock.txt')).toMatchObject({ code: 0, out: '' })
    writeFileSync(join(project, 'stock.svg'), (await drawn('--format', 'svg')).out)
    expect(await drawn('--format', 'svg', '--check', './stock.svg')).toMatchObject({ code: 0, out: '' })
    writeFileSync(join(project, 'stock.txt'), '# Stock\n')
    expect(await drawn('--check', './stock.txt')).toMatchObject({ code: 1, out: '' })
  })

  test('draws the chart of an XState machine, and those that it invokes', async () => {
    writeFileSync(join(project, 'lights.ts'), LIGHTS)
    symlinkSync(join(ROOT, 'node_modules', 'xstate'), join(project, 'node_modules', 'xstate'))
    const chart = (...words: string[]) =>
      holdfast('machine', 'diagram', 'lights', '--machines', './lights.ts', ...words)
    expect((await chart('--format', 'ascii')).out).toBe(
      '* lights\n  * green\n      after 60 ms--> red\n    red\n      invoke walk\n      done walk----> green\n',
    )
    expect((await chart('--graph', 'walk')).out).toContain('  state walk {\n    [*] --> going\n')
    const { code, err } = await chart('--graph', 'toString')
    expect([code, err.includes('lights, walk')]).toEqual([2, true])
  })

  test('names the graphs there are', async () => {
    const { code, err } = await holdfast('machine', 'diagram', 'payments')
    expect(code).toBe(2)
    expect(err).toContain('payment, session, video')
  })
})

test('replay names the first entry, row and values that a changed handler makes otherwise', async () => {
  writeFileSync(join(project, 'doubled.ts'), STOCK.replace('+ count', '+ count * 2'))
  const words = ['replay', '--data', './stopped', '--machines', './doubled.ts', '--against', './machines.ts']
  const { code, out } = await holdfast(...words)
  expect(code).toBe(4)
  expect(out).toMatch(/old and new part at entry \d+\nuser\/stock\/items\/\["chair"\]: 2 with the old, 4 with the new/)
  const json = JSON.parse((await holdfast(...words, '--json')).out)
  expect(json).toMatchObject({ equal: false, parted: { row: { before: 2, after: 4 } } })
})

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { executablePath } from '../../../src/cli/package-root.ts'
import { connect } from '../../../src/client/index.ts'
import { compileOnce } from '../../cluster/processes.ts'
import { runNode, userProject } from '../../host/user-project.ts'

beforeAll(compileOnce, 120_000)

const LAMP = `
import { command, defineMachine } from 'holdfast'
import { z } from 'zod'
import { lightOf } from './light.ts'
export const lamp = defineMachine('lamp', { version: 1, state: {}, errors: {} }, {
  commands: { shine: command({ input: z.string(), output: z.string() }, (_ctx, where: string): string => lightOf(where)) },
})
`
const LIGHT = "export const lightOf = (where: string): string => 'light in ' + where"

/** A folder with a machine in TypeScript, and the command line at work in it. */
function project(): { readonly directory: string; holdfast(words: readonly string[]): ChildProcess } {
  const directory = userProject({ 'machines.ts': LAMP, 'light.ts': LIGHT })
  const holdfast = (words: readonly string[]): ChildProcess => {
    const child = spawn(process.execPath, [executablePath(), ...words], {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => {
      child.kill('SIGKILL')
    })
    return child
  }
  return { directory, holdfast }
}

/** The first `count` lines on stdout, each a node that is ready. */
async function nodesOf(
  child: ChildProcess,
  count: number,
): Promise<{ address: string; pid: number; command: string[] }[]> {
  const nodes = []
  for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
    nodes.push(JSON.parse(line))
    if (nodes.length === count) break
  }
  return nodes
}

async function shine(endpoints: readonly string[]): Promise<unknown> {
  const session = await connect({ endpoints, principal: 'user:ada', connectDeadlineMs: 60_000, deadlineMs: 60_000 })
  const lit = await session.execute('lamp', 'shine', 'Kisumu')
  const counted = await session.execute('counter', 'increment', { name: 'visits', by: 1 })
  await session.close()
  return [lit, counted]
}

/** With a module its machines run, and the product's own do not. */
const ANSWERS = [
  { kind: 'ok', value: 'light in Kisumu' },
  { kind: 'notExecuted', code: 'UNKNOWN_MACHINE' },
]

describe('--machines', () => {
  test('one embedded node runs the machines of a TypeScript module, and they are what they were after a restart', async () => {
    const { holdfast } = project()
    for (let start = 1; start <= 2; start += 1) {
      const server = holdfast(['dev', '--json', '--listen', '127.0.0.1:0', '--machines', './machines.ts'])
      const [node] = await nodesOf(server, 1)
      expect(await shine([node?.address ?? ''])).toMatchObject(ANSWERS)
      const ended = once(server, 'exit')
      server.kill('SIGTERM')
      expect(await ended).toEqual([0, null])
    }
  })

  test('three processes run them too, and each can be started alone by the words that are told', async () => {
    const { directory, holdfast } = project()
    const cluster = holdfast(['dev', '--nodes', '3', '--json', '--machines', 'machines.ts'])
    const nodes = await nodesOf(cluster, 3)
    expect(await shine(nodes.map(({ address }) => address))).toMatchObject(ANSWERS)
    for (const { command } of nodes) expect(command.join(' ')).toContain(`--machines ${directory}/machines.ts`)
    const ended = once(cluster, 'exit')
    cluster.kill('SIGINT')
    expect(await ended).toEqual([0, null])
  })

  test.each([
    [2, 'there is no file', ['dev', '--machines', 'gone.ts']],
    [2, 'there is no file', ['dev', '--nodes', '3', '--machines', 'gone.ts']],
    [
      2,
      'there is no file',
      ['start', '--id', 'n1', '--peers', 'n1=127.0.0.1:0', '--data', 'd', '--machines', 'gone.ts'],
    ],
    [1, 'exports no machine', ['dev', '--machines', 'light.ts']],
    [2, "the product's own machines", ['dev', '--demo', '--machines', 'machines.ts']],
  ])('exits with %d and says "%s": %j', async (exitCode, words, line) => {
    const { directory } = project()
    const { code, out, err } = await runNode(directory, [executablePath(), ...line])
    expect(err).toContain(words)
    expect(out).toBe('')
    expect(code).toBe(exitCode)
  })
})

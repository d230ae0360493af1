import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { executablePath } from '../../../src/cli/package-root.ts'
import { type ClientSession, connect } from '../../../src/client/index.ts'
import { compileOnce } from '../../cluster/processes.ts'
import { runNode, userProject } from '../../host/user-project.ts'

// Each of them starts processes again and again.
vi.setConfig({ testTimeout: 180_000 })
beforeAll(compileOnce, 120_000)

const machines = (handler: string): string => `
import { command, defineMachine } from 'holdfast'
import { z } from 'zod'
import { place } from './place.ts'
export const lamp = defineMachine('lamp', { version: 1, state: {}, errors: {} }, {
  commands: { shine: command({ input: z.null(), output: z.string() }, () => ${handler}) },
})
`
const place = (name: string): string => `export const place: string = '${name}'`

/** `holdfast dev` at work in a folder of a user, with what it says line by line. */
class Dev {
  readonly child: ChildProcess
  private readonly out: AsyncIterator<string>
  private readonly err: AsyncIterator<string>

  constructor(directory: string, words: readonly string[] = ['--listen', '127.0.0.1:0']) {
    const line = [executablePath(), 'dev', '--machines', 'machines.ts', '--json', ...words]
    this.child = spawn(process.execPath, line, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] })
    onTestFinished(() => {
      this.child.kill('SIGTERM')
    })
    const lines = (stream: typeof this.child.stdout): AsyncIterator<string> =>
      createInterface({ input: stream ?? process.stdin })[Symbol.asyncIterator]()
    this.out = lines(this.child.stdout)
    this.err = lines(this.child.stderr)
  }

  /** Where the node is, once it is ready again. */
  async ready(): Promise<string> {
    const { value, done } = await this.out.next()
    if (done === true) throw new Error('dev ended before its node was ready')
    return JSON.parse(value).address
  }

  async says(text: string): Promise<void> {
    for (;;) {
      const { value, done } = await this.err.next()
      if (done === true) throw new Error(`dev ended without saying ${text}`)
      if (value.includes(text)) return
    }
  }

  async stop(): Promise<void> {
    const ended = once(this.child, 'exit')
    this.child.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
  }
}

function shine(endpoint: string): Promise<unknown> {
  return shineOn([endpoint])
}

function opened(endpoints: readonly string[]): Promise<ClientSession> {
  return connect({ endpoints, principal: 'user:ada', connectDeadlineMs: 60_000, deadlineMs: 60_000 })
}

async function shineOn(endpoints: readonly string[]): Promise<unknown> {
  const session = await opened(endpoints)
  const outcome = await session.execute('lamp', 'shine', null)
  await session.close()
  return outcome.kind === 'ok' ? outcome.value : outcome
}

describe('holdfast dev --machines', () => {
  test('runs what is saved, in what the module imports too; what it may not take it tells, and serves on', async () => {
    const directory = userProject({ 'machines.ts': machines('place'), 'place.ts': place('Kisumu') })
    const dev = new Dev(directory)
    const address = await dev.ready()
    writeFileSync(join(directory, 'place.ts'), place('Nakuru'))
    expect(await dev.ready()).toBe(address)
    expect(await shine(address)).toBe('Nakuru')
    writeFileSync(join(directory, 'machines.ts'), machines('place + ='))
    await dev.says('cannot be loaded')
    writeFileSync(join(directory, 'machines.ts'), machines("place + '!'"))
    await dev.says('lamp v1 has other handlers; make it version 2, and export version 1 as it was beside it')
    expect(await shine(address)).toBe('Nakuru')
    await dev.stop()
    // The same change, made while nothing ran.
    const refused = await runNode(directory, [executablePath(), 'dev', '--machines', 'machines.ts'])
    expect(refused.err).toMatch(/lamp v1 has other handlers.*\n.*--reset, which empties data\/dev first/)
    expect(refused.code).toBe(1)
  })

  test('with --reset begins anew whenever a machine has changed at an equal version, and only in a directory of its own', async () => {
    const directory = userProject({ 'machines.ts': machines('place'), 'place.ts': place('Kisumu') })
    const dev = new Dev(directory, ['--listen', '127.0.0.1:0', '--reset'])
    const address = await dev.ready()
    expect(await shine(address)).toBe('Kisumu')
    writeFileSync(join(directory, 'machines.ts'), machines("place + '!'"))
    expect(await dev.ready()).toBe(address)
    expect(await shine(address)).toBe('Kisumu!')
    const inUse = await runNode(directory, [executablePath(), 'dev', '--machines', 'machines.ts', '--reset'])
    expect(inUse.err).toMatch(/data\/dev is open in process \d+, so it is not emptied/)
    await dev.stop()
    mkdirSync(join(directory, 'mine'))
    writeFileSync(join(directory, 'mine', 'thesis.tex'), 'mine')
    const words = ['dev', '--machines', 'machines.ts', '--reset', '--data', 'mine']
    const refused = await runNode(directory, [executablePath(), ...words])
    expect(refused.err).toContain('mine was not made by this command, so it is not emptied')
    expect(refused.code).toBe(1)
    expect(existsSync(join(directory, 'mine', 'thesis.tex'))).toBe(true)
  })

  test('goes on when the folder of the module goes and comes back, and prints nothing of the module as its own', async () => {
    const directory = userProject({
      'lamp/machines.ts': `console.log('{"address":"of the module"}')\n${machines('place')}`,
      'lamp/place.ts': place('Kisumu'),
    })
    const dev = new Dev(directory, ['--machines', 'lamp/machines.ts', '--listen', '127.0.0.1:0'])
    const address = await dev.ready()
    renameSync(join(directory, 'lamp'), join(directory, 'away'))
    await dev.says('there is no file')
    renameSync(join(directory, 'away'), join(directory, 'lamp'))
    writeFileSync(join(directory, 'lamp', 'place.ts'), place('Nakuru'))
    expect(await dev.ready()).toBe(address)
    expect(await shine(address)).toBe('Nakuru')
    await dev.stop()
  })

  test('starts three nodes again one by one, a node that was left alone too, and all without data where --reset says so', async () => {
    const directory = userProject({ 'machines.ts': machines('place'), 'place.ts': place('Kisumu') })
    const dev = new Dev(directory, ['--nodes', '3', '--reset'])
    const all = async (): Promise<string[]> => [await dev.ready(), await dev.ready(), await dev.ready()].sort()
    const addresses = await all()
    // Loads where it is looked at, and ends every node.
    writeFileSync(
      join(directory, 'place.ts'),
      `if (process.argv.includes('start')) throw new Error('not here')\n${place('Eldoret')}`,
    )
    await dev.says('left alone')
    // Two are a majority; nothing is answered yet that the next one would answer otherwise.
    await (await opened(addresses)).close()
    writeFileSync(join(directory, 'place.ts'), place('Nakuru'))
    expect(await all()).toEqual(addresses)
    expect(await shineOn(addresses)).toBe('Nakuru')
    writeFileSync(join(directory, 'machines.ts'), machines("place + '!'"))
    await dev.says('starting anew, without data')
    expect(await all()).toEqual(addresses)
    expect(await shineOn(addresses)).toBe('Nakuru!')
    await dev.stop()
  })
})

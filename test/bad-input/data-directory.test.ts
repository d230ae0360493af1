import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { nodeId } from '../../src/base/brand.ts'
import { freePorts } from '../../src/cli/cluster/free-ports.ts'
import { NodeProcess } from '../../src/cli/cluster/node-process.ts'
import { fetchStatus } from '../../src/client/index.ts'
import { StartError, startEmbedded, startNode } from '../../src/host/index.ts'
import { compileOnce, temporaryDirectory } from '../cluster/processes.ts'
import { contentsOf, refusedStart } from './refused-start.ts'
import { expectExplained, ServedNode } from './served-node.ts'

const HOST = '127.0.0.1'

let node: ServedNode
beforeAll(async () => {
  compileOnce()
  node = await ServedNode.start()
}, 120_000)
afterAll(() => node?.close())

/** Words for a node of that id, alone in its cluster, on a port that is free. */
async function wordsFor(id: string, data: string): Promise<string[]> {
  const [port] = await freePorts(1, HOST)
  return ['--id', id, '--peers', `${id}=${HOST}:${port}`, '--data', data]
}

/** The directory of a node `n1` that has led, written its first entries and stopped in order. */
async function usedDirectory(): Promise<string> {
  const path = join(await temporaryDirectory(), 'n1')
  const started = await startEmbedded({ dataDirectory: path })
  await started.close()
  return path
}

/** The start fails with that code and those words, and leaves everything below `watched` as it was. */
async function expectRefused(
  data: string,
  options: { id?: string; code: string; words: RegExp; watched: string },
): Promise<void> {
  const before = contentsOf(options.watched)
  const refused = await refusedStart(await wordsFor(options.id ?? 'n1', data))
  expect(refused.exitCode).toBe(1)
  expect(refused.stdout).toBe('')
  expect(refused.words).toContain(options.code)
  expect(refused.words).toMatch(options.words)
  expect(refused.words).not.toMatch(/\bat .*\.js:\d+/)
  expect(contentsOf(options.watched)).toEqual(before)
}

describe('a data directory that cannot be used is refused with its name and what to do, and stays as it is', () => {
  test('UNWRITABLE: a file', async () => {
    const directory = await temporaryDirectory()
    const file = join(directory, 'file')
    writeFileSync(file, 'mine')
    await expectRefused(file, { code: 'UNWRITABLE', words: /file.*--data/, watched: directory })
  })

  test('UNWRITABLE: a path below a file', async () => {
    const directory = await temporaryDirectory()
    writeFileSync(join(directory, 'file'), 'mine')
    await expectRefused(join(directory, 'file', 'data'), {
      code: 'UNWRITABLE',
      words: /file.*--data/,
      watched: directory,
    })
  })

  // Not even root may make a directory there.
  test.skipIf(!existsSync('/sys/kernel'))('UNWRITABLE: a place where nobody may write', async () => {
    const directory = await temporaryDirectory()
    await expectRefused('/sys/kernel/holdfast', {
      code: 'UNWRITABLE',
      words: /\/sys\/kernel.*--data/,
      watched: directory,
    })
  })

  test('UNWRITABLE: a directory with other things in it', async () => {
    const directory = await temporaryDirectory()
    writeFileSync(join(directory, 'thesis.tex'), 'mine')
    await expectRefused(directory, {
      code: 'UNWRITABLE',
      words: /thesis\.tex.*Nothing was changed.*--data/,
      watched: directory,
    })
  })

  test('WRONG_NODE: the directory of another node', async () => {
    const directory = await usedDirectory()
    await expectRefused(directory, {
      id: 'n2',
      code: 'WRONG_NODE',
      words: /"n1".*"n2".*Nothing was changed.*--data/,
      watched: directory,
    })
  })

  test('WRONG_MODE: the directory of a node in production, and development', async () => {
    const directory = await usedDirectory()
    const before = contentsOf(directory)
    const refused = await refusedStart([...(await wordsFor('n1', directory)), '--development'])
    expect(refused.exitCode).toBe(1)
    expect(refused.words).toMatch(/without development mode.*Nothing was changed.*--data.*WRONG_MODE/)
    expect(contentsOf(directory)).toEqual(before)
  })

  test('WRONG_CLUSTER: the directory of another cluster', async () => {
    const directory = await usedDirectory()
    const before = contentsOf(directory)
    const started = startNode({
      id: 'n1',
      peers: { n1: `${HOST}:0` },
      dataDirectory: directory,
      clusterId: 'other',
    })
    const error = await started.then(
      () => null,
      (failure: unknown) => failure,
    )
    expect(error).toBeInstanceOf(StartError)
    expect(error).toMatchObject({
      code: 'WRONG_CLUSTER',
      message: expect.stringMatching(/"other".*Nothing was changed.*--data/),
    })
    expect(contentsOf(directory)).toEqual(before)
  })

  test('NEWER_FORMAT: a directory that a later version wrote', async () => {
    const directory = await usedDirectory()
    const file = join(directory, 'HOLDFAST.json')
    const identity: { format: number } = JSON.parse(readFileSync(file, 'utf8'))
    writeFileSync(file, JSON.stringify({ ...identity, format: identity.format + 1 }))
    await expectRefused(directory, {
      code: 'NEWER_FORMAT',
      words: /newer version.*Start that version/,
      watched: directory,
    })
  })

  test('IO_ERROR: a directory whose identity is damaged', async () => {
    const directory = await usedDirectory()
    writeFileSync(join(directory, 'HOLDFAST.json'), '{"format":1,')
    await expectRefused(directory, {
      code: 'IO_ERROR',
      words: /HOLDFAST\.json.*Nothing was changed.*Restore/,
      watched: directory,
    })
  })

  test('LOG_ROT: a log with a flipped byte in what was acknowledged', async () => {
    const directory = await usedDirectory()
    const [segment] = Object.keys(contentsOf(directory)).filter(
      (path) => /group-0\/log\//.test(path) && !path.endsWith('marker'),
    )
    expect(segment).toBeDefined()
    const bytes = readFileSync(segment ?? '')
    const at = bytes.findLastIndex((byte) => byte !== 0)
    bytes[at] = (bytes[at] ?? 0) ^ 0x40
    writeFileSync(segment ?? '', bytes)
    // The snapshot's database renames its own files whenever it is opened; the log is what must stay as it was found.
    const watched = join(directory, 'group-0', 'log')
    await expectRefused(directory, { code: 'LOG_ROT', words: /offset \d+.*Nothing was changed/, watched })
  })

  test('LOG_ROT: without the marker and with the first sector of the only segment zeroed, it is not opened as new', async () => {
    const directory = await usedDirectory()
    const watched = join(directory, 'group-0', 'log')
    const [segment = '', ...others] = Object.keys(contentsOf(watched))
    expect(others).toEqual([])
    rmSync(join(directory, 'group-0', 'marker'))
    writeFileSync(segment, readFileSync(segment).fill(0, 0, 512))
    await expectRefused(directory, { code: 'LOG_ROT', words: /00000001\.wal.*Nothing was changed/, watched })
    expect(existsSync(join(directory, 'group-0', 'marker'))).toBe(false)
  })

  test('LOCKED: the directory of a node that runs, which goes on', async () => {
    const refused = await refusedStart(await wordsFor('n1', node.dataDirectory))
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
    expect(refused.words).toContain('LOCKED')
    expect(refused.words).toMatch(new RegExp(`process ${node.process?.pid}\\b.*Stop that process.*--data`))
    await node.expectUnharmed()
  })

  test("LOCKED: without its lock file, as where two containers take each other's process for dead, the kernel's lock holds", async () => {
    rmSync(join(node.dataDirectory, 'LOCK'))
    const refused = await refusedStart(await wordsFor('n1', node.dataDirectory))
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
    expect(refused.words).toContain('LOCKED')
    expect(refused.words).toMatch(/holds the snapshot.*Stop that process.*--data/)
    await node.expectUnharmed()
  })

  test('a directory whose process was killed is taken over', async () => {
    const path = join(await temporaryDirectory(), 'n1')
    const [port] = await freePorts(1, HOST)
    const address = `${HOST}:${port}`
    const options = { id: nodeId('n1'), address, members: `n1=${address}`, dataDirectory: path }
    const first = await NodeProcess.start(options)
    onTestFinished(() => first.kill())
    await first.kill()
    const second = await NodeProcess.start(options)
    onTestFinished(() => second.kill())
    expect(await fetchStatus(address)).toMatchObject({ id: 'n1' })
  })
})

describe('a port or address that cannot be listened on', () => {
  async function listening(): Promise<{ server: Server; port: number }> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, HOST, resolve))
    onTestFinished(() => void server.close())
    const address = server.address()
    return { server, port: typeof address === 'object' && address !== null ? address.port : 0 }
  }

  test('PORT_IN_USE names the address; the directory is as good as new, and the node starts once the port is free', async () => {
    const data = join(await temporaryDirectory(), 'n1')
    const { server, port } = await listening()
    const address = `${HOST}:${port}`
    const refused = await refusedStart(['--id', 'n1', '--peers', `n1=${address}`, '--data', data])
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
    expect(refused.words).toContain('PORT_IN_USE')
    expect(refused.words).toMatch(new RegExp(`${address}.*Stop it or choose another port`))
    expectExplained('server', 'PORT_IN_USE')
    await new Promise((resolve) => server.close(resolve))
    const started = await NodeProcess.start({
      id: nodeId('n1'),
      address,
      members: `n1=${address}`,
      dataDirectory: data,
    })
    onTestFinished(() => started.kill())
    expect(await fetchStatus(address)).toMatchObject({ id: 'n1' })
  })

  test('PORT_IN_USE: the port of a node that runs, which goes on; neither of the two has lost anything', async () => {
    const data = await usedDirectory()
    const identity = readFileSync(join(data, 'HOLDFAST.json'))
    const refused = await refusedStart(['--id', 'n1', '--peers', `n1=${node.endpoint}`, '--data', data])
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
    expect(refused.words).toContain('PORT_IN_USE')
    expect(readFileSync(join(data, 'HOLDFAST.json'))).toEqual(identity)
    const [port] = await freePorts(1, HOST)
    const address = `${HOST}:${port}`
    const started = await NodeProcess.start({
      id: nodeId('n1'),
      address,
      members: `n1=${address}`,
      dataDirectory: data,
    })
    onTestFinished(() => started.kill())
    // It holds the Configuration that it wrote before: another one would have been written to an empty log at index 1.
    expect(await fetchStatus(address)).toMatchObject({ id: 'n1', voters: ['n1'] })
    expect((await fetchStatus(address)).lastIndex).toBeGreaterThanOrEqual(2)
    await node.expectUnharmed()
  })

  test('NOT_LOOPBACK: without authentication only loopback is listened on, unless --insecure is said', async () => {
    const directory = await temporaryDirectory()
    mkdirSync(join(directory, 'n1'))
    const refused = await refusedStart([
      '--id',
      'n1',
      '--peers',
      `n1=${HOST}:4600`,
      '--listen',
      '0.0.0.0:0',
      '--data',
      join(directory, 'n1'),
    ])
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
    expect(refused.words).toContain('NOT_LOOPBACK')
    expectExplained('server', 'NOT_LOOPBACK')
  })
})

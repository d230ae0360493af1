import { type ChildProcess, spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { eventually } from '../../../bench/agreement.ts'
import { nodeId } from '../../../src/base/brand.ts'
import { freePorts } from '../../../src/cli/cluster/free-ports.ts'
import { executablePath } from '../../../src/cli/package-root.ts'
import { fetchMembers, type MemberList } from '../../../src/client/operator/members.ts'
import { read } from '../../tidy/tree.ts'
import { compileOnce, realCluster, temporaryDirectory } from '../processes.ts'

beforeAll(compileOnce)

/** Some seconds on an idle machine; where processors are busy, a process that starts takes half a minute. */
const TIMEOUT_MS = 300_000

/** Commands of docs/cli.md, §Members, but those of `recover` (test/cluster/machines/refetched-state.test.ts). */
function documented(): readonly string[] {
  const page = read('docs/cli.md')
  const section = page.slice(page.indexOf('\n## Members\n')).split('\n## ')[1] ?? ''
  const blocks = [...section.matchAll(/^```\n([\s\S]*?)^```/gm)]
  const lines = blocks.flatMap(([, text = '']) => text.trim().split('\n'))
  return lines.filter((line) => !line.startsWith('holdfast recover '))
}

interface Said {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function spawned(words: readonly string[], endpoints: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [executablePath(), ...words], {
    env: { ...process.env, HOLDFAST_ENDPOINTS: endpoints.join(',') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

function said(words: readonly string[], endpoints: readonly string[]): Promise<Said> {
  const child = spawned(words, endpoints)
  let [out, err] = ['', '']
  child.stdout?.on('data', (text) => (out += String(text)))
  child.stderr?.on('data', (text) => (err += String(text)))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })))
}

/** As a person would: the same again while it is refused for the moment. */
function done(words: readonly string[], endpoints: readonly string[]): Promise<Said> {
  return eventually(words.join(' '), async () => {
    const result = await said(words, endpoints)
    return /MEMBER_ALIVE|NOT_WAITING|NO_QUORUM|NOT_READY|NO_LEADER|CHANGE_UNDERWAY/.test(result.err) ? null : result
  })
}

function waits(endpoints: readonly string[], id: string): Promise<true> {
  return eventually(`${id} waits`, async () => {
    const list = await fetchMembers(endpoints).catch(() => null)
    return list?.members.some((line) => line.id === id && line.role === 'waiting') === true ? true : null
  })
}

/** `holdfast join` asks the leader who the members are, and gives up where there is none for some seconds. */
function leads(endpoints: readonly string[]): Promise<MemberList> {
  return eventually('somebody leads', () => fetchMembers(endpoints).catch(() => null))
}

test(
  'the commands that the page on the command line gives for members do what it says',
  async () => {
    const cluster = await realCluster()
    const endpoints = [...cluster.endpoints]
    const [first = ''] = endpoints
    const [port = 0] = await freePorts(1, '127.0.0.1')
    const listen = `127.0.0.1:${port}`
    const directory = join(await temporaryDirectory(), 'n4')
    const [toJoin = [], ...changes] = documented().map((line) =>
      line
        .replace('10.0.0.1:4600', first)
        .replace('10.0.0.4:4600', listen)
        .replace('data/n4', directory)
        .split(' ')
        .slice(1),
    )
    expect([toJoin[0], ...changes.map((words) => words.join(' '))]).toEqual([
      'join',
      'member add n4',
      'member replace n3',
    ])
    const [toAdd = [], toReplace = []] = changes

    await leads(endpoints)
    const joining = spawned(toJoin, endpoints)
    const ended = new Promise<never>((_, failed) =>
      joining.on('exit', (code) => failed(new Error(`join ended: ${code}`))),
    )
    await Promise.race([waits(endpoints, 'n4'), ended])
    ended.catch(() => undefined)
    expect(await done(toAdd, endpoints)).toMatchObject({ code: 0, out: 'n4 is a voter\n' })
    expect(await said(toAdd, endpoints)).toMatchObject({ code: 4 })

    const lost = nodeId('n3')
    await cluster.kill(lost)
    await rm(cluster.dataDirectory(lost), { recursive: true })
    await cluster.startNode(lost)
    await waits(endpoints, lost)
    expect(await done(toReplace, endpoints)).toMatchObject({ code: 0, out: 'n3 is a voter again\n' })

    const removed = await done(['member', 'remove', 'n4', '--json'], endpoints)
    expect(JSON.parse(removed.out)).toMatchObject({ change: 'remove', id: 'n4', over: true })
    const listed = await said(['member', 'list', '-o', 'jsonl'], endpoints)
    const lines = listed.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.map(({ id, role }) => [id, role])).toEqual([
      ['n1', 'voter'],
      ['n2', 'voter'],
      ['n3', 'voter'],
    ])
  },
  TIMEOUT_MS,
)

import type { ChildProcess } from 'node:child_process'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { compileOnce } from '../cluster/processes.ts'
import { type Block, blocksOf } from '../docs/blocks.ts'
import { read } from '../tidy/tree.ts'
import { emptyFolderBesidePackage, INSTALL } from './packed.ts'
import { Programs } from './programs.ts'

const MINUTE_MS = 60_000

beforeAll(compileOnce, 2 * MINUTE_MS)

/** A reader at a terminal in an empty folder, who types what the page says. */
class Reader {
  private readonly folder: string
  private readonly tarball: string
  /** What `dev` said: processes of the nodes by their names. */
  private readonly pids = new Map<string, number>()
  private programs: Programs
  private readonly background: ChildProcess[] = []
  printed = ''

  constructor(folder: string, tarball: string) {
    this.folder = folder
    this.tarball = tarball
    this.programs = new Programs(folder)
  }

  async read({ language, text }: Block): Promise<void> {
    if (language === 'text') expect(this.printed).toBe(text)
    else if (language === 'sh background') await this.start(text.trim())
    else if (language === 'sh') for (const line of text.trim().split('\n')) this.printed = await this.type(line)
  }

  /** Everything that still runs ends, the last first. */
  async leave(): Promise<void> {
    for (const child of this.background.reverse()) await this.programs.stop(child, 'SIGTERM')
  }

  killAll(): void {
    for (const child of this.background) child.kill('SIGKILL')
  }

  private async type(line: string): Promise<string> {
    const [program = '', ...words] = line.split(' ')
    if (line === 'npm install holdfast') return this.programs.run('npm', [...INSTALL, this.tarball])
    if (line === 'npm install') return this.programs.run('npm', INSTALL)
    if (line === 'kill -9 $LEADER') return this.killLeader()
    expect(program).toBe('npx')
    return this.programs.run(words[0] ?? '', words.slice(1))
  }

  private async start(line: string): Promise<void> {
    const [npx, program = '', ...words] = line.split(' ')
    expect(npx).toBe('npx')
    if (program !== 'holdfast') {
      this.background.push((await this.programs.lines(program, words, 1)).child)
      return
    }
    // Its own ports may be taken on a machine that does other things: what it says is what counts.
    const { child, lines } = await this.programs.lines(program, [...words, '--json'], 3)
    const nodes = lines.map((text) => JSON.parse(text) as { id: string; pid: number; address: string })
    for (const { id, pid } of nodes) this.pids.set(id, pid)
    const endpoints = nodes.map(({ address }) => address).join(',')
    this.programs = new Programs(this.folder, { HOLDFAST_ENDPOINTS: endpoints })
    this.background.push(child)
  }

  private async killLeader(): Promise<string> {
    const { leader } = JSON.parse(await this.programs.run('holdfast', ['status', '--json'])) as { leader: string }
    const pid = this.pids.get(leader) ?? 0
    expect(pid).toBeGreaterThan(0)
    process.kill(pid, 'SIGKILL')
    return ''
  }
}

test('the tutorial, typed line by line into an empty folder, does what it says', {
  timeout: 10 * MINUTE_MS,
}, async () => {
  const { folder, tarball } = await emptyFolderBesidePackage()
  const reader = new Reader(folder, tarball)
  onTestFinished(() => reader.killAll())
  for (const block of blocksOf(read('docs/tutorial.md'))) await reader.read(block)
  await reader.leave()
})

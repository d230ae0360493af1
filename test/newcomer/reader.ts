import type { ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type Block, quotes } from '../docs/blocks.ts'
import { read } from '../tidy/tree.ts'
import { INSTALL } from './packed.ts'
import { Programs } from './programs.ts'

/** Where pages have nodes listen; a test takes ports that are free. */
const PAGE_PORTS: readonly string[] = ['4600', '4601', '4602']

/**
 * A reader at a terminal in an empty folder, who types what a page says. `sh` is typed, `sh background` in a terminal of its
 * own, `text` is what must have been printed, `js` and `yaml` are saved where their first line names a file.
 */
export class Reader {
  private readonly folder: string
  private readonly tarball: string
  private readonly ports: readonly number[]
  /** What `dev` said: processes of the nodes by their names. */
  private readonly pids = new Map<string, number>()
  private programs: Programs
  private readonly background: ChildProcess[] = []
  printed = ''

  /** @param given.ports three that are free: they stand in for those of the page. */
  constructor(given: { readonly folder: string; readonly tarball: string; readonly ports: readonly number[] }) {
    const { folder, tarball, ports } = given
    this.folder = folder
    this.tarball = tarball
    this.ports = ports
    this.programs = new Programs(folder)
  }

  async read({ language, text }: Block): Promise<void> {
    if (language === 'text') expect(this.printed).toBe(text)
    else if (language === 'sh background') await this.start(text.trim())
    else if (language === 'js' || language === 'yaml') this.save(text)
    else if (language === 'sh') for (const line of text.trim().split('\n')) this.printed = await this.type(line)
  }

  /** Everything that still runs ends, the last first. */
  async leave(): Promise<void> {
    for (const child of this.background.reverse()) await this.programs.stop(child, 'SIGTERM')
  }

  killAll(): void {
    for (const child of this.background) child.kill('SIGKILL')
  }

  private save(text: string): void {
    const [, file] = /^(?:\/\/|#) ([\w.]+)\n/.exec(text) ?? []
    if (file !== undefined) writeFileSync(join(this.folder, file), this.withFreePorts(text))
    else expect(quotes(read('templates/project/compose.yaml'), text), text).toBe(true)
  }

  private withFreePorts(text: string): string {
    return PAGE_PORTS.reduce((all, port, at) => all.replaceAll(`:${port}`, `:${this.ports[at]}`), text)
  }

  private async type(line: string): Promise<string> {
    const [program = '', ...words] = wordsOf(line)
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
    // A single `dev` has one port, and no other to go to.
    const single = words[0] === 'dev' && !words.includes('--nodes')
    const count = words.includes('--nodes') ? 3 : 1
    const more = single ? ['--listen', '127.0.0.1:0', '--json'] : ['--json']
    const { child, lines } = await this.programs.lines(program, [...words, ...more], count)
    const nodes = lines.map((text) => JSON.parse(text) as { id: string; pid: number; address: string })
    for (const { id, pid } of nodes) this.pids.set(id, pid)
    this.background.push(child)
    // The configuration of the page names the others.
    if (words[0] === 'start') this.programs = new Programs(this.folder)
    else {
      const endpoints = nodes.map(({ address }) => address).join(',')
      this.programs = new Programs(this.folder, { HOLDFAST_ENDPOINTS: endpoints })
    }
  }

  private async killLeader(): Promise<string> {
    const { leader } = JSON.parse(await this.programs.run('holdfast', ['status', '--json'])) as { leader: string }
    const pid = this.pids.get(leader) ?? 0
    expect(pid).toBeGreaterThan(0)
    process.kill(pid, 'SIGKILL')
    return ''
  }
}

/** As a shell splits them; quotes are single and around a whole word. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain = '']) => quoted ?? plain)
}

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compileOnce } from '../../cluster/processes.ts'
import { sample } from '../../effort.ts'

/** Processes that race for one lock file, as nodes do that are started on one directory at once. */
const PROCESSES = 8

const SCRIPT = `
import { mkdirSync, rmdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
const [, module, path] = process.argv
const { takeLock } = await import(module)
let lock = null
const take = () => {
  const taken = takeLock(path, 'LOCK')
  lock = taken.ok ? taken.value : null
  return taken.ok ? 'mine' : taken.error.code
}
const release = () => lock.release((released) => { lock = null; if (!released.ok) console.log(released.error.message) })
const words = {
  take,
  release: () => (release(), 'released'),
  // Whoever has the lock makes a directory: two that have it at once would meet there.
  spin: (times) => {
    let owned = 0
    for (let round = 0; round < times; round += 1) {
      if (take() !== 'mine') continue
      try { mkdirSync(path + '-owner') } catch (error) { return 'two owners: ' + error.code }
      rmdirSync(path + '-owner')
      owned += 1
      release()
    }
    return 'owned ' + owned
  },
}
console.log('ready')
createInterface({ input: process.stdin }).on('line', (line) => {
  const [word, times] = line.split(' ')
  console.log(words[word](Number(times)))
})
`

class Racer {
  private readonly child: ChildProcess
  private readonly lines: string[] = []
  private wake: () => void = () => undefined

  constructor(path: string) {
    const module = new URL('../../../dist/src/storage/disk/lock-file.js', import.meta.url).href
    const words = ['--input-type=module', '-e', SCRIPT, module, path]
    this.child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] })
    if (this.child.stdout === null) throw new Error('a racer has a pipe')
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      this.lines.push(line)
      this.wake()
    })
  }

  say(word: string): void {
    this.child.stdin?.write(`${word}\n`)
  }

  async answer(): Promise<string> {
    for (;;) {
      const line = this.lines.shift()
      if (line !== undefined) return line
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const gone = new Promise((resolve) => this.child.once('exit', resolve))
    this.child.kill('SIGKILL')
    await gone
  }
}

let directory = ''
let path = ''
let dead = 0
const racers: Racer[] = []

beforeAll(async () => {
  compileOnce()
  directory = mkdtempSync(join(tmpdir(), 'holdfast-lock-'))
  path = join(directory, 'LOCK')
  dead = spawnSync(process.execPath, ['-e', '']).pid
  for (let count = 0; count < PROCESSES; count += 1) racers.push(new Racer(path))
  for (const racer of racers) expect(await racer.answer()).toBe('ready')
}, 120_000)

afterAll(async () => {
  for (const racer of racers) await racer.kill()
  rmSync(directory, { recursive: true, force: true })
})

/** All try at once; the one that has it. */
async function race(): Promise<Racer> {
  for (const racer of racers) racer.say('take')
  const answers = await Promise.all(racers.map((racer) => racer.answer()))
  expect(answers.toSorted()).toEqual([...Array.from({ length: racers.length - 1 }, () => 'ELOCKED'), 'mine'].toSorted())
  return racers[answers.indexOf('mine')] as Racer
}

describe(`one lock file and ${PROCESSES} processes`, () => {
  test('a stale lock is taken over by exactly one of them, round after round', async () => {
    for (let round = 0; round < sample(60); round += 1) {
      // What a build of before wrote, without an id, too; and what a power loss leaves.
      const stale = { pid: dead, host: hostname(), started: 1 + round, ...(round % 3 === 0 ? {} : { id: '' }) }
      writeFileSync(path, round % 7 === 6 ? '' : JSON.stringify(stale))
      const owner = await race()
      owner.say('release')
      expect(await owner.answer()).toBe('released')
      expect(readdirSync(directory)).toEqual([])
    }
  })

  test('while they take it and let it go as fast as they can, it never has two owners', async () => {
    for (const racer of racers) racer.say(`spin ${sample(60)}`)
    const answers = await Promise.all(racers.map((racer) => racer.answer()))
    for (const answer of answers) expect(answer).toMatch(/^owned \d+$/)
    expect(answers.map((answer) => Number(answer.slice(6))).reduce((sum, owned) => sum + owned)).toBeGreaterThan(0)
  })

  test('the lock of a process that was killed with it goes to exactly one of the others', async () => {
    while (racers.length > PROCESSES - 3) {
      const owner = await race()
      await owner.kill()
      racers.splice(racers.indexOf(owner), 1)
    }
    const owner = await race()
    owner.say('release')
    expect(await owner.answer()).toBe('released')
  })
})

import { execFileSync } from 'node:child_process'
import * as crypted from 'node:crypto'
import { createHash, createHmac, generateKeyPairSync, randomInt, randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { get } from 'node:http'
import { Socket } from 'node:net'
import { hostname } from 'node:os'
import { performance } from 'node:perf_hooks'
import { hrtime } from 'node:process'
import { setTimeout as startTimer } from 'node:timers'
import { promisify } from 'node:util'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { UserStateMachine } from '../../../src/session/user-machine.ts'
import { DeterminismError, withDeterminismGuard } from '../../../src/testing/index.ts'
import { MemoryHost } from '../../machine/run/memory-context.ts'

type Body = (context: Parameters<UserStateMachine['apply']>[0]) => unknown

/** A guarded machine whose one command runs `body`. */
function guarded(body: Body) {
  const violations: string[] = []
  const machine: UserStateMachine = {
    apply: (context) => {
      body(context)
      return { kind: 'value', value: null }
    },
    onSessionCreated: () => undefined,
    onSessionExpired: () => undefined,
  }
  const guard = withDeterminismGuard(machine, ({ api }) => violations.push(api))
  return { guard, violations, run: () => new MemoryHost(guard).apply('any', 'run', null) }
}

const deflated = deflateRawSync('a')

const forbidden: readonly (readonly [api: string, instead: string, use: Body])[] = [
  ['crypto.randomUUID()', 'ctx.id(prefix)', () => randomUUID()],
  ['crypto.randomBytes()', 'ctx.random()', () => crypted.randomBytes(4)],
  ['crypto.randomInt()', 'ctx.random()', () => randomInt(4)],
  ['crypto.generateKeyPairSync()', 'ctx.random()', () => generateKeyPairSync('ed25519')],
  ['fs.readFileSync()', 'ctx.task', () => readFileSync('/etc/hostname')],
  ['fs/promises.readFile()', 'ctx.task', () => readFile('/etc/hostname')],
  ['os.hostname()', 'input of a command', () => hostname()],
  ['child_process.execFileSync()', 'ctx.task', () => execFileSync('true')],
  ['http.get()', 'ctx.task', () => get('http://127.0.0.1:1')],
  ['new net.Socket()', 'ctx.task', () => new Socket()],
  ['performance.now()', 'ctx.now', () => performance.now()],
  ['timers.setTimeout()', 'ctx.schedule', () => startTimer(() => undefined, 1)],
  ['process.hrtime()', 'ctx.now', () => hrtime()],
  ['zlib.deflateRawSync()', 'in the client', () => deflateRawSync('a')],
]

describe('what a machine imports from a module of Node', () => {
  test.each(forbidden)('%s throws while the machine runs, and names %s', (api, instead, use) => {
    const { run, violations } = guarded(use)
    expect(run).toThrow(DeterminismError)
    expect(run).toThrow(instead)
    expect(violations).toEqual([api, api])
  })

  test('and gives the same in every process stays allowed', () => {
    const { run, violations } = guarded(() => {
      const digests = [createHash('sha256').update('a').digest('hex'), createHmac('sha256', 'k').update('a').digest()]
      expect(digests.map(({ length }) => length)).toEqual([64, 32])
      expect(inflateRawSync(deflated).toString()).toBe('a')
      // A runner's source maps are read by then, or from a file.
      expect(new Error('of the machine').stack).toContain('of the machine')
    })
    run()
    expect(violations).toEqual([])
  })

  test('is there for everybody else: before, behind and between the calls of a machine', async () => {
    const { run, guard } = guarded((context) => {
      context.log('to the host')
      randomUUID()
    })
    expect(run).toThrow('crypto.randomUUID()')
    expect(randomUUID()).toHaveLength(36)
    expect(existsSync('/')).toBe(true)
    expect(new Socket()).toBeInstanceOf(Socket)
    expect(await promisify(startTimer)(1, 'value')).toBe('value')
    const host = new MemoryHost(guard)
    const said: string[] = []
    const context = { ...host.context(null, []), log: () => void said.push(randomUUID()) }
    expect(() => guard.apply(context, { machine: 'any', command: 'run', input: null })).toThrow('crypto.randomUUID()')
    expect(said).toHaveLength(1)
  })
})

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { gates, register, session } from '../../../src/machines/index.ts'
import { run } from '../../../src/cli/run.ts'
import { connect } from '../../../src/client/index.ts'
import { type RunningNode, startEmbedded } from '../../../src/host/index.ts'

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** One command line in this process. */
async function holdfast(...words: string[]): Promise<Ended> {
  const said = { out: '', err: '' }
  const hear = (stream: 'out' | 'err') => (text: unknown) => {
    said[stream] += String(text)
    return true
  }
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(hear('out')),
    vi.spyOn(process.stderr, 'write').mockImplementation(hear('err')),
  ]
  try {
    return { code: await run(['node', 'holdfast', ...words]), ...said }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

test('a demo plays on a node of its own, and says that everything was as promised', async () => {
  const { code, out } = await holdfast('demo', 'session')
  expect(out).toContain('10. They are done.')
  expect(out).toMatch(/Everything was as promised\.\n$/)
  expect(code).toBe(0)
})

test('the exchange is played, and shows what a newcomer should see', async () => {
  const { code, out } = await holdfast('demo', 'reconciler')
  expect(out).toContain('analyst  gets the task reconciler.analyze')
  expect(out).toContain('refused IDENTICAL_RESUBMISSION')
  expect(out).toMatch(/ben +hears empathy\.revealed/)
  expect(out).toMatch(/Everything was as promised\.\n$/)
  expect(code).toBe(0)
})

describe('on a cluster that runs', () => {
  let node: RunningNode
  let dataDirectory = ''
  beforeAll(async () => {
    dataDirectory = await mkdtemp(join(tmpdir(), 'holdfast-demo-test-'))
    node = await startEmbedded({ dataDirectory, logLevel: 'silent' })
  })
  afterAll(async () => {
    await node.close()
    await rm(dataDirectory, { recursive: true, force: true })
  })

  test('a demo can be played twice, a JSON object per line', async () => {
    for (const _time of [1, 2]) {
      const { code, out } = await holdfast('demo', 'payments', '--connect', node.address, '--json')
      const lines = out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
      expect(lines[0]).toMatchObject({ kind: 'scene', step: '1' })
      expect(lines[1]).toMatchObject({ kind: 'command', member: 'carol', answer: { kind: 'ok' } })
      expect(lines.at(-1)).toEqual({ kind: 'end', asPromised: true, difference: null })
      expect(code).toBe(0)
    }
  })

  test('the dialogue is played to its agreement', async () => {
    const { code, out } = await holdfast('demo', 'session', '--connect', node.address)
    expect(out).toContain('status RESOLVED')
    expect(code).toBe(0)
  })

  test('the dialogue ends where its next machine is missing', async () => {
    const short = await startEmbedded({
      dataDirectory: join(dataDirectory, 'short'),
      logLevel: 'silent',
      machines: [session, gates],
    })
    onTestFinished(() => short.close())
    const { code, out } = await holdfast('demo', 'session', '--connect', short.address)
    expect(out).toContain('status ABANDONED')
    expect(code).toBe(0)
  })

  test('a demo whose workers would be given the tasks of others is refused', async () => {
    const worker = await connect({ endpoints: [node.address], principal: 'worker:mpesa', roles: ['payments'] })
    onTestFinished(() => void worker.close())
    const { code, err } = await holdfast('demo', 'payments', '--connect', node.address)
    expect(err).toContain('worker:mpesa works there (payments)')
    expect(code).toBe(4)
  })

  test('a machine that refuses what was promised ends the demo with exit code 1 and the difference', async () => {
    const counter = await startEmbedded({
      dataDirectory: join(dataDirectory, 'other'),
      logLevel: 'silent',
      machines: [register],
    })
    onTestFinished(() => counter.close())
    const { code, out } = await holdfast('demo', 'payments', '--connect', counter.address)
    expect(out).toContain('Not as promised: step 1: ')
    expect(code).toBe(1)
  })
})

test('an address that is none is refused with exit code 2', async () => {
  expect(await holdfast('demo', 'session', '--connect', 'nowhere')).toMatchObject({ code: 2, out: '' })
})

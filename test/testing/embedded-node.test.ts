import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { counter, register } from '../../src/machines/index.ts'
import { type EmbeddedNode, embeddedNode } from '../../src/testing/index.ts'

let open: EmbeddedNode<readonly [typeof counter, typeof register]> | null = null

afterEach(async () => {
  await open?.close()
  open = null
})

describe('embeddedNode', () => {
  test('FR-005 a machine runs on a real log and a real LevelDB without a cluster', async () => {
    open = await embeddedNode({ machines: [counter, register] })
    const session = await open.session('user:alice')
    expect(await session.machines.counter.increment({ name: 'visits', by: 2 })).toMatchObject({ kind: 'ok', value: 2 })
    expect(await session.machines.counter.increment({ name: 'visits', by: 5000 })).toMatchObject({
      kind: 'rejected',
      code: 'TOO_BIG',
    })
    await session.close()
  })

  test('P-18 state and sessions survive a restart', async () => {
    open = await embeddedNode({ machines: [counter, register] })
    const session = await open.session('user:alice')
    for (let by = 1; by <= 10; by += 1) await session.machines.counter.increment({ name: 'visits', by })
    const hash = open.node.status().stateHash
    await open.restart()
    expect(open.node.status().stateHash).not.toBe('')
    expect(await session.machines.counter.increment({ name: 'visits', by: 1 })).toMatchObject({ kind: 'ok', value: 56 })
    expect(hash).toMatch(/^[0-9a-f]{16}$/)
    await session.close()
  })

  test('FR-012 FR-013 S-11 a restart from a snapshot gives the state that was there', async () => {
    open = await embeddedNode({ machines: [counter, register], snapshotBytes: 2_000 })
    const session = await open.session('user:alice')
    for (let by = 1; by <= 50; by += 1) await session.machines.register.write({ key: `k${by % 7}`, value: `v${by}` })
    await open.restart()
    expect(open.node.status().snapshotIndex).toBeGreaterThan(0)
    expect(await session.machines.register.read({ key: 'k1' })).toMatchObject({ kind: 'ok', value: 'v50' })
    await session.close()
  })

  test('a start that failed holds nothing: the same process starts once the cause is gone', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-embedded-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    const options = { machines: [counter, register] as const, directory }
    await (await embeddedNode(options)).close()
    const segment = join(directory, 'log/00000001.wal')
    const whole = readFileSync(segment)
    writeFileSync(segment, Buffer.alloc(whole.length, 1))
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      await expect(embeddedNode(options)).rejects.toThrow(/The log is damaged/)
    }
    writeFileSync(segment, whole)
    await (await embeddedNode(options)).close()
  })

  test('close leaves no file behind', async () => {
    open = await embeddedNode({ machines: [counter, register] })
    const { directory } = open
    await open.close()
    open = null
    expect(existsSync(directory)).toBe(false)
  })
})

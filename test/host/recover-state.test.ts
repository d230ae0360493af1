import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { connect } from '../../src/client/index.ts'
import { type RunningNode, startEmbedded } from '../../src/host/index.ts'
import { discardState, refetchState } from '../../src/host/stopped/recover-state.ts'
import { userProject } from './user-project.ts'

/** One node; `writes` commands of a kilobyte each, a snapshot for about five. */
async function alone(writes: number): Promise<{ directory: string; node: RunningNode }> {
  const directory = join(userProject(), 'data')
  const limits = writes > 1 ? { snapshotBytes: 6_000 } : undefined
  const node = await startEmbedded({ dataDirectory: directory, listen: '127.0.0.1:0', ...(limits && { limits }) })
  onTestFinished(() => node.close())
  const session = await connect({ embedded: node, principal: 'user:ada' })
  for (let at = 0; at < writes; at += 1)
    await session.execute('register', 'write', { key: `k${at}`, value: 'v'.repeat(1000) })
  return { directory, node }
}

test('the state of a node that runs is not set aside', async () => {
  const { directory } = await alone(1)
  await expect(refetchState(directory)).rejects.toMatchObject({ code: 'LOCKED' })
})

test('nor that of the only voter, nor one that is made of the log alone', async () => {
  const short = await alone(1)
  await short.node.close()
  expect(await refetchState(short.directory)).toEqual({ kind: 'noState' })
  const long = await alone(40)
  await long.node.close()
  expect(await refetchState(long.directory)).toEqual({ kind: 'alone' })
  expect(existsSync(join(long.directory, 'group-0', 'CURRENT'))).toBe(true)
  // The directory was let go.
  const again = await startEmbedded({ dataDirectory: long.directory, listen: '127.0.0.1:0' })
  await again.close()
})

test('a path without a data directory is refused, and where nothing is set aside nothing is to be deleted', async () => {
  const nowhere = join(userProject(), 'nothing')
  await expect(refetchState(nowhere)).rejects.toMatchObject({ code: 'IO_ERROR' })
  await expect(discardState(nowhere)).rejects.toMatchObject({ code: 'IO_ERROR' })
  const { directory } = await alone(1)
  expect(await discardState(directory)).toBe(true)
})

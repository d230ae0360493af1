import { existsSync, lstatSync, readdirSync, renameSync, symlinkSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { connect, fetchStatus } from '../../src/client/index.ts'
import { restoreBackup } from '../../src/host/backup/restore.ts'
import { recoverQuorum } from '../../src/host/stopped/recover-quorum.ts'
import { verifyLog } from '../../src/host/stopped/read-log.ts'
import { read, restoring, running, save, write } from './backup/backup-world.ts'
import { userProject } from './user-project.ts'

/** The directory of n1, one of three voters of which no other is left. */
async function lastOfThree(): Promise<{ project: string; data: string; clusterId: string; incarnation: number }> {
  const project = userProject()
  const node = await running(join(project, 'whole'))
  await write(node, 0, 90)
  const file = await save(node, join(project, 'backup'))
  await node.close()
  const data = join(project, 'n1')
  const peers = ['n1', 'n2', 'n3'].map((id, at) => ({ id, address: `127.0.0.1:460${at}` }))
  const { clusterId, incarnation } = await restoreBackup(restoring(file, data, { peers, nowMs: Date.now() - 60_000 }))
  return { project, data, clusterId, incarnation }
}

/** What the test has made there. */
const namesIn = (project: string): string[] =>
  readdirSync(project)
    .filter((name) => name !== 'node_modules' && name !== 'package.json')
    .sort()

describe('a majority that is gone for good', () => {
  test('is given up: the node that is left goes on alone with all that it has, and its directory was copied first', async () => {
    const { data, clusterId, incarnation, project } = await lastOfThree()
    const before = await verifyLog(data)
    const options = { data, keep: 'n1', nowMs: Date.now() }
    const dry = await recoverQuorum({ ...options, dryRun: true })
    expect(dry).toMatchObject({ lost: ['n2', 'n3'], index: before.lastIndex })
    expect(namesIn(project)).toEqual(['backup', 'n1', 'whole'])
    const found = await recoverQuorum({ ...options, dryRun: false })
    expect(found.incarnation).toBeGreaterThan(incarnation)
    expect(found.clusterId).not.toBe(clusterId)
    expect(await verifyLog(found.copy)).toEqual(before)
    const identity = JSON.parse(await readFile(join(data, 'HOLDFAST.json'), 'utf8'))
    expect(identity).toMatchObject({ clusterId: found.clusterId, incarnation: found.incarnation })
    const node = await running(data)
    expect(await fetchStatus(node.address)).toMatchObject({ voters: ['n1'], incarnation: found.incarnation })
    expect(await read(node, 89)).toBe('89')
    const session = await connect({ embedded: node, principal: 'user:ada' })
    expect(await session.execute('notes', 'put', { name: 'new', text: 'x' })).toMatchObject({ kind: 'ok' })
  })

  test('is given up by a name that is a link too: the copy is a directory of its own, without the lock, as all was before', async () => {
    const { data, project } = await lastOfThree()
    const link = join(project, 'link')
    const group = join(project, 'elsewhere')
    renameSync(join(data, 'group-0'), group)
    symlinkSync(group, join(data, 'group-0'))
    symlinkSync(data, link)
    const before = await verifyLog(link)
    const identity = await readFile(join(data, 'HOLDFAST.json'))
    const { copy } = await recoverQuorum({ data: link, keep: 'n1', nowMs: Date.now(), dryRun: false })
    expect(lstatSync(copy).isDirectory()).toBe(true)
    expect(lstatSync(join(copy, 'group-0')).isDirectory()).toBe(true)
    expect(readdirSync(copy).sort()).toEqual(['HOLDFAST.json', 'group-0'])
    expect(await verifyLog(copy)).toEqual(before)
    expect(await readFile(join(copy, 'HOLDFAST.json'))).toEqual(identity)
    expect(await verifyLog(link)).toMatchObject({ lastIndex: before.lastIndex + 1 })
  })

  test('is not what a single voter lacks, and another node than the directory’s is refused; nothing is changed', async () => {
    const { data, project } = await lastOfThree()
    const whole = { data: join(project, 'whole'), keep: 'n1', dryRun: false, nowMs: Date.now() }
    await expect(recoverQuorum(whole)).rejects.toMatchObject({ code: 'QUORUM_NOT_LOST' })
    const wrong = { data, keep: 'n2', dryRun: false, nowMs: Date.now() }
    await expect(recoverQuorum(wrong)).rejects.toMatchObject({ code: 'NOT_A_MEMBER' })
    await expect(recoverQuorum({ ...wrong, data: project })).rejects.toMatchObject({ code: 'IO_ERROR' })
    expect(namesIn(project)).toEqual(['backup', 'n1', 'whole'])
    expect(existsSync(join(data, 'LOCK'))).toBe(false)
  })
})

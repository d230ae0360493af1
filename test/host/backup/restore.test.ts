import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { nodeId } from '../../../src/base/brand.ts'
import { connect, fetchStatus } from '../../../src/client/index.ts'
import { fileBytes, fileTarget } from '../../../src/host/backup/backup-files.ts'
import { readFacts, verifyBackup } from '../../../src/host/backup/read-parts.ts'
import { namedStart, newIncarnation, newStart, parseStart, startText } from '../../../src/host/backup/restore-plan.ts'
import { RestoredDirectory } from '../../../src/host/backup/restored-directory.ts'
import { restoreBackup } from '../../../src/host/backup/restore.ts'
import { saveBackup } from '../../../src/host/backup/save-backup.ts'
import { userProject } from '../user-project.ts'
import { read, restoring, running, save, write } from './backup-world.ts'

describe('a backup', () => {
  test('of a snapshot and what follows it is restored to an equal state; ids go on, and none comes again', async () => {
    const project = userProject()
    const node = await running(join(project, 'data'))
    const old = await connect({ embedded: node, principal: 'user:ada' })
    const { token } = old
    if (token === null) throw new Error('a session has a token')
    const before = await write(node, 0, 200)
    const first = await old.execute('notes', 'order', 'order-7')
    const { stateHash } = await fetchStatus(node.address)
    const file = await save(node, join(project, 'backup'))
    const { facts, totals } = await verifyBackup(fileBytes(file))
    expect(facts.snapshot?.lastIncludedIndex).toBeGreaterThan(0)
    expect(facts).toMatchObject({ incarnation: 1, end: { stateHash }, node: 'n1', machines: { notes: 1 } })
    expect(totals.rows).toBe(facts.rows)
    await node.close()
    const restored = await restoreBackup(restoring(file, join(project, 'restored')))
    expect(restored).toMatchObject({ index: facts.end.index, stateHash })
    const identity = JSON.parse(await readFile(join(project, 'restored', 'HOLDFAST.json'), 'utf8'))
    expect(identity).toMatchObject({ incarnation: restored.incarnation, started: true })
    const again = await running(join(project, 'restored'))
    const status = await fetchStatus(again.address)
    expect(status).toMatchObject({ incarnation: restored.incarnation, clusterId: restored.clusterId })
    expect(status.clusterId).not.toBe(facts.clusterId)
    const after = await write(again, 0, 100)
    const given = new Set(before.map(({ id }) => id))
    expect(after.filter(({ id }) => given.has(id))).toEqual([])
    expect(await read(again, 150)).toBe('150')
    // What was done once by a key of the machine's own was done.
    const session = await connect({ embedded: again, principal: 'user:bob' })
    const second = await session.execute('notes', 'order', 'order-7')
    const answerOf = (outcome: typeof first): string => (outcome.kind === 'ok' ? String(outcome.value) : outcome.kind)
    expect(answerOf(second)).toBe(answerOf(first).replace('fresh', 'replayed'))
    await session.close()
    // A session of before belongs to another life of the cluster.
    await expect(
      connect({ embedded: again, principal: 'user:ada', resume: token, connectDeadlineMs: 10_000 }),
    ).rejects.toMatchObject({ code: 'CLUSTER_CHANGED' })
  })

  test('without a snapshot is the log alone, and restored twice it gives two lives with other ids', async () => {
    const project = userProject()
    const node = await running(join(project, 'data'), { snapshotBytes: 64 * 1024 * 1024 })
    await write(node, 0, 5)
    const file = await save(node, join(project, 'backup'))
    expect(await readFacts(fileBytes(file))).toMatchObject({ snapshot: null, rows: 0, log: { first: 1 } })
    await node.close()
    const nowMs = Date.now()
    const one = await restoreBackup(restoring(file, join(project, 'one'), { nowMs }))
    const two = await restoreBackup(restoring(file, join(project, 'two'), { nowMs }))
    expect(two.incarnation).not.toBe(one.incarnation)
    expect(two.clusterId).not.toBe(one.clusterId)
    const node1 = await running(join(project, 'one'))
    const node2 = await running(join(project, 'two'))
    const ids1 = (await write(node1, 0, 5)).map(({ id }) => id)
    const ids2 = (await write(node2, 0, 5)).map(({ id }) => id)
    expect(ids1.filter((id) => ids2.includes(id))).toEqual([])
  })

  test('with the log is restored to any entry and any time in it, from the backup before where its state is too new', async () => {
    const project = userProject()
    const node = await running(join(project, 'data'))
    await write(node, 0, 10)
    const monday = await save(node, join(project, 'monday'))
    const { end } = await readFacts(fileBytes(monday))
    const first = await write(node, 10, 80)
    await write(node, 80, 200)
    const tuesday = await save(node, join(project, 'tuesday'), { withLog: true, sinceIndex: end.index })
    const facts = await readFacts(fileBytes(tuesday))
    expect(facts.log?.first).toBe(end.index + 1)
    await node.close()
    const base = (): ReturnType<typeof fileBytes> => fileBytes(monday)
    const toIndex = first[29]?.index ?? 0
    expect(toIndex).toBeLessThan(facts.snapshot?.lastIncludedIndex ?? 0)
    await expect(restoreBackup(restoring(tuesday, join(project, 'x'), { toIndex }))).rejects.toMatchObject({
      code: 'NOT_IN_BACKUP',
    })
    const restored = await restoreBackup(restoring(tuesday, join(project, 'index'), { toIndex, base }))
    expect(restored).toMatchObject({ index: toIndex, stateHash: '' })
    const there = await running(join(project, 'index'))
    expect(await read(there, 39)).toBe('39')
    expect(await read(there, 40)).toBe('')
    const options = { toTimeMs: restored.timeMs, base, dryRun: true }
    const dry = await restoreBackup(restoring(tuesday, join(project, 'time'), options))
    expect(dry.index).toBeGreaterThanOrEqual(toIndex)
    expect(dry.timeMs).toBe(restored.timeMs)
    expect(readdirSync(project)).not.toContain('time')
    const beyond = { toIndex: facts.end.index + 1, base }
    await expect(restoreBackup(restoring(tuesday, join(project, 'y'), beyond))).rejects.toMatchObject({
      code: 'NOT_IN_BACKUP',
    })
    const before = { toTimeMs: 1, base }
    await expect(restoreBackup(restoring(tuesday, join(project, 'z'), before))).rejects.toMatchObject({
      code: 'NOT_IN_BACKUP',
    })
  })

  test('goes to an empty directory, with lost+found too, and to no other; a damaged one leaves nothing there', async () => {
    const project = userProject()
    const node = await running(join(project, 'data'))
    await write(node, 0, 120)
    const file = await save(node, join(project, 'backup'))
    await node.close()
    await expect(restoreBackup(restoring(file, join(project, 'data')))).rejects.toMatchObject({ code: 'UNWRITABLE' })
    const mine = join(project, 'mine')
    mkdirSync(mine)
    writeFileSync(join(mine, 'letter.txt'), '')
    await expect(restoreBackup(restoring(file, mine))).rejects.toMatchObject({ code: 'UNWRITABLE' })
    expect(readdirSync(mine)).toEqual(['letter.txt'])
    const mount = join(project, 'mount')
    mkdirSync(join(mount, 'lost+found'), { recursive: true })
    const bytes = await readFile(file)
    const damaged = Buffer.from(bytes)
    damaged[bytes.length - 1000] = (damaged[bytes.length - 1000] ?? 0) ^ 1
    await writeFile(join(project, 'damaged'), damaged)
    await expect(restoreBackup(restoring(join(project, 'damaged'), mount))).rejects.toMatchObject({
      code: 'BACKUP_DAMAGED',
    })
    expect(readdirSync(mount)).toEqual(['lost+found'])
    await restoreBackup(restoring(file, mount))
    expect(readdirSync(mount).sort()).toEqual(['HOLDFAST.json', 'group-0', 'lost+found'])
    const one = restoring(file, join(project, 'other'), { id: 'n2' })
    await expect(restoreBackup(one)).rejects.toMatchObject({ code: 'NOT_A_MEMBER' })
  })

  test('that was made since one of another history is refused, and so is one that the log does not reach', async () => {
    const project = userProject()
    const node = await running(join(project, 'data'))
    await write(node, 0, 700)
    const file = await save(node, join(project, 'backup'))
    const { end, ...facts } = await readFacts(fileBytes(file))
    const keep = async (since: typeof end, clusterId = facts.clusterId): Promise<unknown> =>
      saveBackup(fileBytes(file), await fileTarget(join(project, 'kept')), {
        since: { ...facts, clusterId, end: since },
        onPart: () => undefined,
      })
    await expect(keep({ ...end, chain: end.chain + 1 })).rejects.toMatchObject({ code: 'OTHER_HISTORY' })
    await expect(keep(end, 'another')).rejects.toMatchObject({ code: 'OTHER_HISTORY' })
    expect(readdirSync(project).filter((name) => name.startsWith('kept'))).toEqual([])
    await keep(end)
    expect(await readFile(join(project, 'kept'))).toEqual(await readFile(file))
    const kept = await readFile(join(project, 'kept'))
    expect(statSync(join(project, 'kept')).mode & 0o777).toBe(0o600)
    await expect(keep(end)).rejects.toMatchObject({ code: 'EEXIST' })
    expect(await readFile(join(project, 'kept'))).toEqual(kept)
    expect(readdirSync(project)).not.toContain('kept.partial')
    await expect(save(node, join(project, 'since'), { withLog: true, sinceIndex: 1 })).rejects.toMatchObject({
      code: 'LOG_TOO_SHORT',
    })
  })
})

describe('the new life of a restored cluster', () => {
  const NOW = Date.UTC(2026, 10, 1)

  test('has an incarnation above the one before, which two restores of one moment do not share, whatever their clocks say', () => {
    for (const before of [1, 28_000_000, 9e8, 4e9, 0xfffffffe]) {
      const drawn = Array.from({ length: 20 }, () => newIncarnation(before))
      for (const one of drawn) {
        expect(one).toBeGreaterThan(before)
        expect(one).toBeLessThanOrEqual(0xffffffff)
      }
      if (before < 4e9) expect(new Set(drawn).size).toBe(20)
    }
    expect(() => newIncarnation(0xffffffff)).toThrow(expect.objectContaining({ code: 'INCARNATION_REFUSED' }))
  })

  test('takes what another member has printed, for 15 minutes, also where it is the next incarnation', () => {
    const printed = newStart(1, NOW + 123)
    expect(parseStart(startText(printed))).toEqual(printed)
    expect(namedStart(printed, 1, NOW + 14 * 60_000)).toEqual(printed)
    expect(() => namedStart(printed, 1, NOW + 16 * 60_000)).toThrow('holdfast member replace')
    const next = { incarnation: 2, begunMs: NOW }
    expect(() => namedStart(next, 1, NOW + 16 * 60_000)).toThrow('holdfast member replace')
    const same = { incarnation: 1, begunMs: NOW }
    expect(() => namedStart(same, 1, NOW)).toThrow(expect.objectContaining({ code: 'INCARNATION_REFUSED' }))
    for (const text of ['2', '2@', '0@2026-11-01T00:00:00Z', '2@2026-13-01T00:00:00Z', '2@now'])
      expect(parseStart(text), text).toBe(null)
  })

  test('whose directory cannot be finished leaves nothing of it, and says why', async () => {
    const data = join(userProject(), 'data')
    const directory = await RestoredDirectory.begin(data, null)
    mkdirSync(join(data, 'HOLDFAST.json.new'))
    const identity = { clusterId: 'c', nodeId: nodeId('n1'), instanceId: 'a'.repeat(32), incarnation: 2 }
    await expect(directory.finish({ ...identity, development: false })).rejects.toMatchObject({ code: 'UNWRITABLE' })
    await directory.abandon()
    expect(readdirSync(data)).toEqual([])
  })
})

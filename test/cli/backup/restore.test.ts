import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createBackup } from '../../../src/cli/backup/backup-create.ts'
import { restore } from '../../../src/cli/backup/restore.ts'
import { EXIT } from '../../../src/cli/terminal/exit.ts'
import { running, save, write } from '../../host/backup/backup-world.ts'
import { userProject } from '../../host/user-project.ts'

/** The JSON that the command prints. */
async function printed(
  run: () => Promise<void>,
): Promise<{ incarnationNamed: string; restore: string; others: string[] }> {
  let text = ''
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((piece) => {
    text += String(piece)
    return true
  })
  onTestFinished(() => spy.mockRestore())
  await run().finally(() => spy.mockRestore())
  return JSON.parse(text)
}

describe('holdfast restore', () => {
  test('prints what makes the other members, and a dry run of one of them prints it again', async () => {
    const project = userProject()
    const node = await running(join(project, 'data'))
    await write(node, 0, 5)
    const file = await save(node, join(project, 'backup'))
    await node.close()
    const peers = 'n1=127.0.0.1:4600,n2=127.0.0.1:4601'
    const first = await printed(() => restore(file, { data: join(project, 'n1'), id: 'n1', peers, json: true }))
    const named = `--incarnation ${first.incarnationNamed}`
    expect(first.others).toEqual([`holdfast restore ${file} --data <directory> --id n2 --peers ${peers} ${named}`])
    const second = {
      data: join(project, 'n2'),
      id: 'n2',
      peers,
      incarnation: first.incarnationNamed,
      json: true,
    } as const
    const dry = await printed(() => restore(file, { ...second, dryRun: true }))
    expect(dry.restore).toBe(`holdfast restore ${file} --data ${second.data} --id n2 --peers ${peers} ${named}`)
    expect(readdirSync(project)).not.toContain('n2')
    expect(await printed(() => restore(file, second))).toMatchObject({ incarnationNamed: first.incarnationNamed })
    await expect(restore(file, { ...second, incarnation: '7' })).rejects.toMatchObject({ exitCode: EXIT.usage })
  })

  test('takes no backup from stdin, which can be read once, nor does a backup since one', async () => {
    const flags = { data: join(userProject(), 'n1'), id: 'n1' }
    await expect(restore('-', flags)).rejects.toMatchObject({ exitCode: EXIT.usage })
    await expect(restore('backup', { ...flags, base: '-' })).rejects.toMatchObject({ exitCode: EXIT.usage })
    const create = { file: 'new', endpoints: [], withLog: false, since: '-', json: false }
    await expect(createBackup(create)).rejects.toMatchObject({ exitCode: EXIT.usage })
  })
})

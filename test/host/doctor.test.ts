import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { checkContent, checkMarker } from '../../src/host/doctor/check-directory-health.ts'
import { checkDescriptors, checkRoom, checkSyncs } from '../../src/host/doctor/check-disk.ts'
import { checkNodes, checkPeer, checkPort } from '../../src/host/doctor/check-network.ts'
import { examine } from '../../src/host/doctor/doctor.ts'
import type { Finding } from '../../src/host/doctor/finding.ts'
import { running, write } from './backup/backup-world.ts'
import { userProject } from './user-project.ts'

/** A port of loopback that somebody listens on. */
async function takenPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a server has a port')
  return address.port
}

/** One that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('a server has a port')
  return address.port
}

const at = (port: number) => ({ host: '127.0.0.1', port })

describe('the doctor', () => {
  test('times syncs where the directory is or will be, and leaves nothing there', async () => {
    const project = userProject()
    const before = readdirSync(project)
    const well = await checkSyncs(join(project, 'data', 'n1'), Number.POSITIVE_INFINITY)
    expect(well).toMatchObject({ code: null, next: null })
    expect(well.sentence).toMatch(/p50.*p99/)
    expect(await checkSyncs(project, 0)).toMatchObject({ code: 'SLOW_DISK', next: expect.any(String) })
    expect(readdirSync(project)).toEqual(before)
    expect(await checkRoom(project)).toMatchObject({ check: 'disk room' })
  })

  test('counts the files that a process may open', () => {
    const limits = join(userProject(), 'limits')
    writeFileSync(
      limits,
      'Limit                     Soft Limit           Hard Limit\nMax open files            256                  4096\n',
    )
    expect(checkDescriptors(limits)).toMatchObject({ code: 'FEW_DESCRIPTORS', next: expect.stringContaining('ulimit') })
    writeFileSync(limits, 'Max open files            65536                65536\n')
    expect(checkDescriptors(limits)).toMatchObject({ code: null })
    expect(checkDescriptors(`${limits}-none`)).toMatchObject({ code: null })
  })

  test('tells whose directory it is, and where log or state are damaged; of a node that runs it reads nothing', async () => {
    const project = userProject()
    const data = join(project, 'data')
    expect(checkMarker(data, 'n1')).toMatchObject({ code: null })
    expect(await checkContent(data)).toMatchObject({ code: null })
    const node = await running(data)
    await write(node, 0, 10)
    expect(await checkContent(data)).toMatchObject({ code: null, sentence: expect.stringContaining('not read') })
    expect(await checkNodes([node.address])).toMatchObject([
      { code: null, sentence: expect.stringContaining('leader') },
    ])
    await node.close()
    expect(await checkContent(data)).toMatchObject({ code: null, sentence: expect.stringContaining('are well') })
    expect(checkMarker(data, 'n1')).toMatchObject({ code: null, sentence: expect.stringContaining('of n1') })
    expect(checkMarker(data, 'n2')).toMatchObject({ code: 'WRONG_NODE' })
    const log = join(data, 'group-0', 'log')
    const [name = ''] = readdirSync(log)
    const bytes = readFileSync(join(log, name))
    bytes[bytes.indexOf('notes')] = 0x58
    writeFileSync(join(log, name), bytes)
    expect(await checkContent(data)).toMatchObject({ code: 'LOG_ROT', next: 'holdfast explain LOG_ROT' })
    writeFileSync(join(data, 'HOLDFAST.json'), '{"format":9}')
    expect(checkMarker(data, 'n1')).toMatchObject({ code: 'NEWER_FORMAT' })
  })

  test('tells a port that is taken, a peer that is not there, and a node that does not answer', async () => {
    const [taken, free] = [await takenPort(), await freePort()]
    expect(await checkPort(at(taken))).toMatchObject({ code: 'PORT_IN_USE' })
    expect(await checkPort(at(free))).toMatchObject({ code: null })
    expect(await checkPeer('n2', at(taken))).toMatchObject({ code: null })
    expect(await checkPeer('n2', at(free))).toMatchObject({ code: 'PEER_UNREACHABLE' })
    expect(await checkNodes([`127.0.0.1:${free}`])).toMatchObject([{ code: 'PEER_UNREACHABLE' }])
  })

  test('looks at all that it was told of', async () => {
    const data = join(userProject(), 'data')
    const [own, other] = [await freePort(), await takenPort()]
    const peers = [
      { id: 'n1', address: at(own) },
      { id: 'n2', address: at(other) },
    ]
    const findings: Finding[] = []
    for await (const finding of examine({ data, id: 'n1', peers, endpoints: [] })) findings.push(finding)
    const checks = ['descriptors', 'directory', 'disk room', 'disk syncs', 'log and state', 'port', 'peer']
    expect(findings.map(({ check }) => check)).toEqual(checks)
  })
})

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { StartError, startEmbedded, startNode } from '../../src/host/index.ts'
import { temporaryDirectory } from '../cluster/processes.ts'

/** Called as from JavaScript, where nothing holds a caller to the types. */
const start = (options: unknown): Promise<unknown> => startNode(options as Parameters<typeof startNode>[0])

describe('an option that cannot be used is refused with its name before anything is opened', () => {
  const good = { id: 'n1', peers: { n1: '127.0.0.1:0' } }

  test.each([
    ['options.id', { id: 'N 1' }],
    ['options.id', { id: 7 }],
    ['options.peers', { peers: undefined }],
    ['options.peers', { peers: {} }],
    ['options.peers', { peers: { n2: '127.0.0.1:1' } }],
    ['options.peers', { peers: { n1: 'a:1', n2: 'a:1' } }],
    ['options.peers', { peers: 'n1:4600' }],
    ['options.peers', { peers: ['n1=a:1'] }],
    ['options.peers.n1', { peers: { n1: 'nowhere' } }],
    ['options.peers.n2', { peers: 'n1=a:1,n2=b' }],
    ['options.listen', { listen: 4600 }],
    ['options.listen', { listen: 'localhost' }],
    ['options.dataDirectory', { dataDirectory: '' }],
    ['options.dataDirectory', { dataDirectory: undefined }],
    ['options.clusterId', { clusterId: 1 }],
    ['options.machines', { machines: [] }],
    ['options.machines', { machines: [{ name: 'lamp' }] }],
    ['options.machines', { machines: { kind: 'definition' } }],
    ['options.limits', { limits: 5 }],
    ['options.limits.comandBytesMax', { limits: { comandBytesMax: 5 } }],
    ['options.limits.commandBytesMax', { limits: { commandBytesMax: -5 } }],
    ['options.raft.heartbeat', { raft: { heartbeat: 5 } }],
    ['options.raft.heartbeatMs', { raft: { heartbeatMs: '50' } }],
    ['options.raft.preVote', { raft: { preVote: 1 } }],
    ['options.logLevel', { logLevel: 'loud' }],
    ['options.diskReserveBytes', { diskReserveBytes: -1 }],
    ['options.diskReserveBytes', { diskReserveBytes: '1G' }],
    ['options.insecure', { insecure: 'yes' }],
    ['options.signal', { signal: {} }],
    ['options.onFault', { onFault: 'exit' }],
    ['options.dataDir', { dataDir: 'x' }],
    ['options', null],
  ])('%s: %j', async (field, change) => {
    const dataDirectory = join(await temporaryDirectory(), 'data')
    const failure = start(change === null ? null : { ...good, dataDirectory, ...change })
    await expect(failure).rejects.toBeInstanceOf(StartError)
    await expect(failure).rejects.toMatchObject({ code: 'INVALID', field, message: expect.stringContaining(field) })
    expect(existsSync(dataDirectory)).toBe(false)
  })

  test('what was meant is named', async () => {
    await expect(start({ ...good, dataDirectory: 'x', limits: { comandBytesMax: 5 } })).rejects.toThrow(
      'did you mean commandBytesMax?',
    )
    await expect(startEmbedded({ dataDirectory: '' })).rejects.toMatchObject({ field: 'options.dataDirectory' })
  })
})

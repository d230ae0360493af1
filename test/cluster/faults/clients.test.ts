import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { ProbeChild } from '../../../bench/failover/probe-child.ts'
import type { ClientsOptions, ClientsOrder, ClientsReport } from '../../../bench/faults/clients/clients.ts'
import { compileOnce, temporaryDirectory } from '../processes.ts'

beforeAll(compileOnce, 300_000)

test('clients of the bench of faults end when they are told to, also while nobody has ever answered them', async () => {
  const options: ClientsOptions = {
    ...{
      endpoints: ['127.0.0.1:1'],
      seed: 1,
      lanesPerWorkload: 1,
      workloads: ['register'],
      pays: false,
      half: 0,
      began: '0',
    },
    history: join(await temporaryDirectory(), 'history'),
  }
  const module = new URL('../../../dist/bench/faults/clients/clients.js', import.meta.url).pathname
  const clients = new ProbeChild<ClientsOrder, ClientsReport>(module, [JSON.stringify(options)])
  await clients.end({ kind: 'end' })
  await expect(clients.heard()).rejects.toThrow('ended with code 0')
})

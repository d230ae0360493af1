import { status } from '@grpc/grpc-js'
import { describe, expect, test } from 'vitest'
import { fetchStatus } from '../../src/client/connection/grpc.ts'
import { serve } from './serve.ts'

describe('ClusterService', () => {
  test('P-10 Status tells what the node knows', async () => {
    const { address, close } = await serve()
    expect(await fetchStatus(address)).toMatchObject({
      id: 'n1',
      clusterId: 'c1',
      role: 'leader',
      leader: 'n1',
      leaderAddress: 'address-of-n1',
      appliedIndex: 2,
      voters: ['n1'],
      followers: [],
    })
    await expect(fetchStatus('127.0.0.1:1', 500)).rejects.toMatchObject({ code: status.UNAVAILABLE })
    await close()
  })
})

import { describe, expect, test } from 'vitest'
import { GrpcServer, ListenError } from '../../src/server/grpc-server.ts'
import { serve } from './serve.ts'

describe('listening', () => {
  test('a port in use is PORT_IN_USE with its address', async () => {
    const { server, close } = await serve()
    const again = GrpcServer.listen({ host: '127.0.0.1', port: server.port, services: [] })
    await expect(again).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(String(server.port)),
    })
    await close()
  })

  test('an address of another machine is ADDRESS_UNAVAILABLE, and without authentication only loopback is served', async () => {
    await expect(GrpcServer.listen({ host: '192.0.2.1', port: 0, insecure: true, services: [] })).rejects.toMatchObject(
      { code: 'ADDRESS_UNAVAILABLE' },
    )
    await expect(GrpcServer.listen({ host: '0.0.0.0', port: 0, services: [] })).rejects.toBeInstanceOf(ListenError)
    await expect(GrpcServer.listen({ host: '0.0.0.0', port: 0, services: [] })).rejects.toMatchObject({
      code: 'NOT_LOOPBACK',
    })
  })
})

import { connect } from 'node:http2'
import { describe, expect, test } from 'vitest'
import { RECEIVE_WINDOW_BYTES } from '../../src/server/flow-control.ts'
import { GrpcServer } from '../../src/server/grpc-server.ts'
import { ListenError } from '../../src/server/socket-listener.ts'
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

  test('a batch of commands or entries needs no round trip in its middle: streams and connections have wide windows', async () => {
    const { server, close } = await serve()
    const session = connect(`http://127.0.0.1:${server.port}`)
    const settings = await new Promise<{ initialWindowSize?: number | undefined }>((resolve) => {
      session.on('remoteSettings', (received) => {
        if (received.initialWindowSize === RECEIVE_WINDOW_BYTES) resolve(received)
      })
    })
    // The window of the connection travels behind the settings; an answered ping has let it arrive.
    await new Promise((resolve) => session.ping(resolve))
    expect(settings.initialWindowSize).toBe(RECEIVE_WINDOW_BYTES)
    expect(session.state.remoteWindowSize).toBe(RECEIVE_WINDOW_BYTES)
    session.close()
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

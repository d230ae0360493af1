import { Agent } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { accepted } from '../../src/http/http-answer.ts'
import type { HttpBounds } from '../../src/http/http-bounds.ts'
import { type HttpResource, HttpServer, type HttpServerOptions } from '../../src/http/http-server.ts'
import { ask, post, rawSocket } from './asking.ts'

/** Answers with the length of the body. */
const measured: HttpResource = {
  matches: (path) => path === '/length',
  post: async (_path, body) => accepted({ length: body.length }),
}

/** Answers when the test says so, or when the server stops. */
class Gate implements HttpResource {
  readonly bodies: string[] = []
  private readonly open: (() => void)[] = []
  private arrived = (): void => undefined

  matches(path: string): boolean {
    return path === '/gate'
  }

  async post(_path: string, body: Buffer, stopping: AbortSignal): ReturnType<HttpResource['post']> {
    this.bodies.push(body.toString())
    this.arrived()
    await new Promise<void>((resolve) => {
      this.open.push(resolve)
      stopping.addEventListener('abort', () => resolve())
    })
    return accepted({ body: body.toString(), stopped: stopping.aborted })
  }

  release(): void {
    for (const open of this.open.splice(0)) open()
  }

  async holds(count: number): Promise<void> {
    while (this.bodies.length < count) {
      await new Promise<void>((resolve) => {
        this.arrived = resolve
      })
    }
  }
}

async function serve(bounds: Partial<HttpBounds> = {}, more: Partial<HttpServerOptions> = {}) {
  const gate = new Gate()
  const resources = [measured, gate]
  const server = await HttpServer.listen({ host: '127.0.0.1', port: 0, resources, bounds, ...more })
  onTestFinished(() => {
    gate.release()
    return server.close()
  })
  return { server, gate, address: `127.0.0.1:${server.port}` }
}

const request = (body: string, path = '/length', more = ''): string =>
  `POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

describe('a body', () => {
  test('of 64 KiB is taken and one byte more is not, and the connection goes on', async () => {
    const { address } = await serve()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    const sized = (bytes: number) => post(address, '/length', 'x'.repeat(bytes), { agent })
    expect(await sized(65_536)).toMatchObject({ status: 200, body: { length: 65_536 } })
    const refused = await sized(65_537)
    expect(refused).toMatchObject({ status: 413, body: { code: 'BODY_TOO_LARGE', status: 413 } })
    expect(refused.headers.connection).not.toBe('close')
    expect(await sized(1)).toMatchObject({ status: 200 })
  })

  test('that has no announced length is bounded all the same', async () => {
    const { address } = await serve()
    const { socket, heard } = rawSocket(address)
    socket.write(
      'POST /length HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
    )
    for (let chunk = 0; chunk < 5; chunk += 1) socket.write(`4000\r\n${'y'.repeat(0x4000)}\r\n`)
    socket.write('0\r\n\r\n')
    await heard('HTTP/1.1 413')
  })

  test('without an end is answered 413 and cut', async () => {
    const { address } = await serve({ bodyBytesMax: 1000, drainBytesMax: 4000 })
    const { socket, ended } = rawSocket(address)
    socket.write(
      'POST /length HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n',
    )
    socket.write('z'.repeat(4001))
    expect(await ended).toMatch(/^HTTP\/1.1 413 .*connection: close/is)
  })

  test('that is announced as too long is refused before it is sent', async () => {
    const { address } = await serve()
    const { socket, ended } = rawSocket(address)
    socket.write(
      request('', '/length', 'Expect: 100-continue\r\n').replace('Content-Length: 0', 'Content-Length: 70000'),
    )
    const text = await ended
    expect(text).toMatch(/^HTTP\/1.1 413 /)
    expect(text).not.toContain('100 Continue')
  })

  test('is waited for where the caller asks whether it may send it', async () => {
    const { address } = await serve()
    const { socket, heard } = rawSocket(address)
    const [head = '', body = ''] = request('[1]', '/length', 'Expect: 100-continue\r\n').split(/(?<=\r\n\r\n)/)
    socket.write(head)
    await heard('100 Continue')
    socket.write(body)
    await heard('{"length":3}')
  })
})

describe('a caller that is slow', () => {
  const times = { headersMs: 150, requestMs: 250, checkedEveryMs: 25 }

  test.each([
    ['says nothing', ''],
    ['sends its headers byte by byte', 'POST /length HTTP/1.1\r\nHost: h\r\nX-Slow: '],
    ['never ends its body', request('x').slice(0, -1).replace('Content-Length: 1', 'Content-Length: 100')],
  ])('is answered 408 and cut: it %s', async (_how, text) => {
    const { address } = await serve(times)
    const { socket, ended } = rawSocket(address)
    socket.write(text)
    const drip = setInterval(() => socket.write('a'), 20)
    if (text === '') clearInterval(drip)
    const answer = await ended
    clearInterval(drip)
    expect(answer).toMatch(/^HTTP\/1.1 408 .*Connection: close/s)
    expect(answer).toContain('REQUEST_TIMEOUT')
  })

  test('does not hold up others', async () => {
    const { address } = await serve({ connectionsMax: 20 })
    for (let slow = 0; slow < 10; slow += 1) rawSocket(address).socket.write('POST /length HTTP/1.1\r\nX: ')
    expect(await post(address, '/length', {})).toMatchObject({ status: 200 })
  })

  test('takes one of the connections that there are, and those beyond are cut', async () => {
    const { address } = await serve({ connectionsMax: 1 })
    const first = rawSocket(address)
    first.socket.write(request('{}'))
    await first.heard('200 OK')
    expect(await rawSocket(address).ended).toBe('')
    first.socket.destroy()
    await expect.poll(() => post(address, '/length', {}).catch(() => ({ status: 0 }))).toMatchObject({ status: 200 })
  })
})

describe('what is no request', () => {
  test.each([
    ['garbage', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['gRPC', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na', 400],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\na',
      400,
    ],
    ['headers without an end', `POST / HTTP/1.1\r\nHost: h\r\nX: ${'h'.repeat(20_000)}`, 431],
    ['no host', 'POST / HTTP/1.1\r\n\r\n', 400],
  ])('%s is refused and harms nobody', async (_what, text, status) => {
    const { address } = await serve()
    const { socket, ended } = rawSocket(address)
    socket.write(text, 'latin1')
    const answer = await ended
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    // Without a host Node.js answers itself.
    if (_what !== 'no host') expect(answer).toContain(status === 431 ? 'HEADERS_TOO_LARGE' : 'REQUEST_MALFORMED')
    expect(await post(address, '/length', {})).toMatchObject({ status: 200 })
  })

  test('a connection that ends anywhere in a request harms nobody', async () => {
    const { address, gate } = await serve()
    const whole = request('{"a":1}', '/gate')
    for (let length = 0; length < whole.length; length += 7) {
      rawSocket(address).socket.end(whole.slice(0, length))
      const { socket } = rawSocket(address)
      await new Promise((resolve) => void socket.write(whole.slice(0, length), resolve))
      socket.resetAndDestroy()
    }
    expect(await post(address, '/length', {})).toMatchObject({ status: 200 })
    expect(gate.bodies).toEqual([])
  })

  test('a resource that throws is answered 500, and told', async () => {
    const told: unknown[] = []
    const broken: HttpResource = { matches: () => true, post: () => Promise.reject(new Error('a bug')) }
    const { address } = await serve({}, { resources: [broken], onBug: (error) => told.push(error) })
    expect(await post(address, '/', {})).toMatchObject({ status: 500, body: { code: 'INTERNAL' } })
    expect(told).toEqual([new Error('a bug')])
  })
})

describe('requests one behind another on a connection', () => {
  test('are answered in their order', async () => {
    const { address } = await serve()
    const { socket, ended } = rawSocket(address)
    socket.write([1, 2, 3, 4].map((length) => request('x'.repeat(length))).join(''))
    socket.write(request('xxxxx', '/length', 'Connection: close\r\n'))
    expect((await ended).match(/"length":\d/g)).toEqual([1, 2, 3, 4, 5].map((length) => `"length":${length}`))
  })

  test('are not answered by the refusal of what comes behind them', async () => {
    const { address, gate } = await serve()
    const { socket, ended } = rawSocket(address)
    socket.write(`${request('{}', '/gate')}garbage\r\n\r\n`)
    expect(await ended).toBe('')
    expect(gate.bodies).toEqual(['{}'])
  })

  test('beyond as many as may wait are refused, and nothing of them is kept', async () => {
    const { address, gate } = await serve({ requestsMax: 2 })
    const waiting = [post(address, '/gate', 'a'), post(address, '/gate', 'b')]
    await gate.holds(2)
    const refused = await post(address, '/gate', 'c')
    expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '5' }, body: { code: 'OVERLOADED' } })
    gate.release()
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200])
    expect(gate.bodies.toSorted()).toEqual(['a', 'b'])
  })
})

describe('a server that closes', () => {
  test('answers what was asked, refuses what comes behind it, and takes no connection', async () => {
    // Who waits for an answer that can no longer be written holds nobody up: the test would time out.
    const { server, gate, address } = await serve({ graceMs: 600_000 })
    const kept = rawSocket(address)
    kept.socket.write(request('first', '/gate'))
    await gate.holds(1)
    const closed = server.close()
    kept.socket.write(request('second', '/gate'))
    await expect(ask(address, '/length')).rejects.toThrow('ECONNREFUSED')
    gate.release()
    const text = await kept.ended
    expect(text).toMatch(/^HTTP\/1.1 200 OK.*connection: close.*"body":"first","stopped":false/is)
    expect(gate.bodies).toEqual(['first'])
    await closed
  })

  test('does not wait for callers that keep a connection open, or stop in the middle', async () => {
    const { server, address } = await serve({ graceMs: 50 })
    const [silent, half] = [rawSocket(address), rawSocket(address)]
    silent.socket.write(request('{}'))
    await silent.heard('200 OK')
    half.socket.write(request('{}').slice(0, -1))
    await post(address, '/length', {})
    await server.close()
    await Promise.all([silent.ended, half.ended])
  })

  test('does not wait for answers to callers who are gone', async () => {
    const { server, gate, address } = await serve({ graceMs: 600_000 })
    const { socket } = rawSocket(address)
    socket.write(request('{}', '/gate').repeat(3))
    await gate.holds(3)
    socket.resetAndDestroy()
    await server.close()
  })

  test('ends the wait of requests that cannot be answered in time', async () => {
    const { server, gate, address } = await serve({ graceMs: 50 })
    const waiting = post(address, '/gate', 'a')
    await gate.holds(1)
    await server.close()
    expect(await waiting).toMatchObject({ status: 200, body: { stopped: true } })
  })
})

describe('the address', () => {
  test('is one of loopback, because callers are not authenticated', async () => {
    for (const host of ['0.0.0.0', '::', '10.0.0.1', 'example.org']) {
      await expect(HttpServer.listen({ host, port: 0, resources: [] })).rejects.toMatchObject({ code: 'NOT_LOOPBACK' })
    }
  })

  test('that somebody has is refused by its code', async () => {
    const { server } = await serve()
    const again = HttpServer.listen({ host: '127.0.0.1', port: server.port, resources: [] })
    await expect(again).rejects.toMatchObject({ code: 'PORT_IN_USE' })
  })

  test('localhost serves each of its addresses on one port', async () => {
    const server = await HttpServer.listen({ host: 'localhost', port: 0, resources: [measured] })
    onTestFinished(() => server.close())
    expect(await post(`localhost:${server.port}`, '/length', '[]')).toMatchObject({ status: 200 })
    expect(await post(`127.0.0.1:${server.port}`, '/length', '[]')).toMatchObject({ status: 200 })
  })

  test('gives no connection to callers when descriptors are scarce', async () => {
    const { address } = await serve({}, { budget: { admit: () => 'special' } })
    expect(await rawSocket(address).ended).toBe('')
  })
})

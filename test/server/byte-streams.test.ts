import { connect, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2'
import { Metadata, type ServerDuplexStream, type ServiceDefinition } from '@grpc/grpc-js'
import { describe, expect, onTestFinished, test } from 'vitest'
import { asIs } from '../../src/grpc/as-is.ts'
import { ByteCall } from '../../src/grpc/byte-call.ts'
import { prefixed } from '../../src/grpc/message-reader.ts'
import { GrpcServer } from '../../src/server/grpc-server.ts'

type Call = ServerDuplexStream<Buffer, Buffer>

const PATH = '/test.Bytes/Stream'
const method = {
  path: PATH,
  requestStream: true,
  responseStream: true,
  requestSerialize: asIs,
  requestDeserialize: asIs,
}
const definition: ServiceDefinition = { Stream: { ...method, responseSerialize: asIs, responseDeserialize: asIs } }
const REFUSED = { code: 9, details: 'NOT TODAY: 100 %' }

/** A server whose one method is handled so, by a call of grpc-js or by one of ours, and a connection to it. */
async function served(direct: boolean, handle: (call: Call) => void) {
  const server = await GrpcServer.listen({
    host: '127.0.0.1',
    port: 0,
    graceMs: 100,
    services: [{ definition, implementation: { Stream: handle }, ofBytes: direct ? ['Stream'] : [] }],
  })
  onTestFinished(() => server.close())
  const session = connect(`http://127.0.0.1:${server.port}`)
  session.on('error', () => undefined)
  onTestFinished(() => session.destroy())
  return (headers: object = {}): ClientHttp2Stream =>
    session.request({
      ':method': 'POST',
      ':path': PATH,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    })
}

/** All that a client hears of a stream, once the server has ended it. */
async function heardOn(stream: ClientHttp2Stream): Promise<object> {
  const heard: { headers: object; trailers: object; bytes: string } = { headers: {}, trailers: {}, bytes: '' }
  const told = ({ date: _date, ...headers }: IncomingHttpHeaders): object =>
    Object.fromEntries(Object.entries(headers).filter(([name]) => !/accept-encoding|^grpc-encoding/.test(name)))
  stream.on('response', (headers) => Object.assign(heard, { headers: told(headers) }))
  stream.on('trailers', (headers) => Object.assign(heard, { trailers: told(headers) }))
  stream.on('data', (bytes: Buffer) => Object.assign(heard, { bytes: heard.bytes + bytes.toString('latin1') }))
  stream.on('error', () => undefined)
  // The trailers are told in the same turn as the end, before or after it.
  await new Promise((resolve) => stream.on('end', () => setImmediate(resolve)).on('close', resolve))
  stream.close()
  return heard
}

/** Sends everything back, and ends when the client does. */
function echo(call: Call): void {
  const metadata = new Metadata()
  metadata.set('kinds', '7')
  call.sendMetadata(metadata)
  call.on('data', (message: Buffer) => call.write(message, () => undefined))
  call.on('end', () => call.end())
  call.on('error', () => undefined)
}

/** Refuses with a status that has details of its own: at once, or at the first message. */
function refusing(at: 'once' | 'message'): (call: Call) => void {
  return (call) => {
    const metadata = new Metadata()
    metadata.set('grpc-status-details-bin', Buffer.from([1, 2, 3]))
    const refuse = (): void => void call.emit('error', { ...REFUSED, metadata })
    call.on('error', () => undefined)
    if (at === 'once') return refuse()
    call.sendMetadata(new Metadata())
    call.on('data', refuse)
  }
}

describe('a stream of bytes that is served without grpc-js', () => {
  const cases: readonly [string, (call: Call) => void, (stream: ClientHttp2Stream) => void, object?][] = [
    [
      'messages there and back, one of them in two parts',
      echo,
      (stream) => {
        const bytes = Buffer.concat([prefixed(Buffer.from('first')), prefixed(Buffer.from('second'))])
        stream.write(bytes.subarray(0, 14))
        stream.end(bytes.subarray(14))
      },
    ],
    ['no message at all', echo, (stream) => stream.end()],
    ['a refusal before the headers', refusing('once'), () => undefined],
    ['a refusal behind them', refusing('message'), (stream) => stream.write(prefixed(Buffer.from('x')))],
    [
      'a deadline, which only grpc-js keeps',
      (call) => call.on('error', () => undefined).sendMetadata(new Metadata()),
      () => undefined,
      { 'grpc-timeout': '20m' },
    ],
    ['another content type', echo, () => undefined, { 'content-type': 'text/plain' }],
  ]
  test.each(cases)('answers as grpc-js does: %s', async (_what, handle, say, headers = {}) => {
    const answers = []
    for (const direct of [false, true]) {
      const stream = (await served(direct, handle))(headers)
      say(stream)
      answers.push(await heardOn(stream))
    }
    expect(answers[1]).toEqual(answers[0])
    expect(JSON.stringify(answers[0])).toMatch(/grpc-status|415/)
  })

  test('is one of ours, and only of the paths that were named', async () => {
    const calls: boolean[] = []
    for (const direct of [false, true]) {
      const request = await served(direct, (call) => {
        calls.push((call as unknown) instanceof ByteCall)
        call.end()
      })
      await heardOn(request())
    }
    expect(calls).toEqual([false, true])
  })

  test('a message that is too large, or compressed, ends it', async () => {
    for (const [head, code] of [
      [Buffer.from([0, 0x7f, 0, 0, 0]), '8'],
      [Buffer.from([1, 0, 0, 0, 0]), '13'],
    ] as const) {
      const request = await served(true, echo)
      const stream = request()
      stream.write(head)
      expect(await heardOn(stream)).toMatchObject({ trailers: { 'grpc-status': code } })
    }
  })

  test('whose client goes away is cancelled once, and takes what is still said to it', async () => {
    let over = (): void => undefined
    const cancelled = new Promise<void>((resolve) => (over = resolve))
    let times = 0
    const request = await served(true, (call) => {
      call.sendMetadata(new Metadata())
      call.on('error', () => undefined)
      call.on('cancelled', () => {
        times += 1
        call.write(Buffer.from('too late'), () => undefined)
        call.end()
        over()
      })
    })
    const stream = request()
    stream.on('error', () => undefined)
    stream.on('response', () => stream.close(8))
    await cancelled
    expect(times).toBe(1)
  })
})

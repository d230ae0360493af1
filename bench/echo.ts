import { pathToFileURL } from 'node:url'
import * as grpc from '@grpc/grpc-js'

const bytes = (value: Buffer): Buffer => value

/** A bidirectional stream of plain bytes. */
export const echoMethod: grpc.MethodDefinition<Buffer, Buffer> = {
  path: '/holdfast.bench.Echo/Connect',
  requestStream: true,
  responseStream: true,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
}

/** Run as a program: a server that sends everything back, until its parent goes away. Its port is its first line. */
function serve(): void {
  const server = new grpc.Server()
  const connect = (call: grpc.ServerDuplexStream<Buffer, Buffer>): void => {
    call.on('data', (message: Buffer) => call.write(message))
    call.on('end', () => call.end())
    call.on('error', () => undefined)
  }
  server.addService({ connect: echoMethod }, { connect })
  server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error !== null) throw error
    process.stdout.write(`${port}\n`)
  })
  process.on('disconnect', () => process.exit(0))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) serve()

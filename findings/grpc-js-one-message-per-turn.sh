#!/usr/bin/env bash
# grpc-js hands HTTP/2 about one message of a stream per turn of the event loop.
#
# Expected:  messages that are written to one stream in one turn of the event loop leave together, as the writes to a
#            plain HTTP/2 stream do: Node gathers them into one write of the socket.
# Instead:   a client's stream gives HTTP/2 the next message only when the write of the one before has called back, which
#            is in the next turn. 200 messages said at once take nearly 200 turns. A server's stream gives about two per
#            turn. A plain HTTP/2 stream takes the same 200 chunks in one or two turns.
# Versions:  @grpc/grpc-js 1.14.7, Node 20.20 and Linux; messages of 100 bytes over loopback, client and server in one
#            process. It is the same with the server in another process, and with the retry buffer off.
# Matters:   throughput of one stream is one message per turn, whatever the sizes. With turns of 200 ms, a sender that says
#            two messages per turn falls behind for ever. Many records must share one message.
# Source:    the client's and server's streams in the package (call.js and server-call.js) implement the single-chunk write
#            of Node's streams alone, without the one for many chunks; the callback of each write is that of the HTTP/2
#            stream's write (subchannel-call.js and server-interceptors.js).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true }' > package.json
npm install --no-audit --no-fund --loglevel=error @grpc/grpc-js@1.14.7 > npm.log 2>&1 ||
  { cat npm.log; echo 'skipped: npm cannot install the packages'; exit 77; }

cat > observe.cjs <<'END'
const http2 = require('node:http2')
const MESSAGES = 200
const BYTES = 100

let turn = 0
const nextTurn = () => {
  turn += 1
  setImmediate(nextTurn)
}

// Every write to an HTTP/2 stream, by the turn in which it was made. In place before grpc-js is loaded.
const handed = { client: [], server: [] }
const watch = (stream, turns) => {
  const { write } = stream
  stream.write = function (...given) {
    turns.push(turn)
    return write.apply(this, given)
  }
}
const { connect, createServer } = http2
http2.connect = (...given) => {
  const session = connect(...given)
  const { request } = session
  session.request = function (...asked) {
    const stream = request.apply(this, asked)
    watch(stream, handed.client)
    return stream
  }
  return session
}
http2.createServer = (...given) => {
  const server = createServer(...given)
  server.on('stream', (stream) => watch(stream, handed.server))
  return server
}

const grpc = require('@grpc/grpc-js')
const asIs = (bytes) => bytes
const Talk = {
  path: '/finding.Test/Talk',
  requestStream: true,
  responseStream: true,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
}

async function overGrpc() {
  const server = new grpc.Server()
  let received = 0
  server.addService({ Talk }, {
    Talk: (call) => {
      call.on('data', () => {
        received += 1
        if (received < MESSAGES) return
        for (let count = 0; count < MESSAGES; count += 1) call.write(Buffer.alloc(BYTES))
        call.end()
      })
    },
  })
  const port = await new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure())
  await new Promise((resolve, reject) => {
    client.waitForReady(Date.now() + 30_000, (error) => (error ? reject(error) : resolve()))
  })
  const call = client.makeBidiStreamRequest(Talk.path, asIs, asIs, new grpc.Metadata())
  for (let count = 0; count < MESSAGES; count += 1) call.write(Buffer.alloc(BYTES))
  let answers = 0
  await new Promise((resolve, reject) => {
    call.on('data', () => {
      answers += 1
    })
    call.on('error', reject)
    call.on('end', resolve)
  })
  if (received !== MESSAGES || answers !== MESSAGES) throw new Error(`received ${received}, answered ${answers}`)
  client.close()
  server.forceShutdown()
}

/** The turns in which a plain HTTP/2 stream said that chunks were written. */
async function overHttp2() {
  const server = createServer()
  server.on('stream', (stream) => {
    stream.respond()
    stream.resume()
    stream.on('end', () => stream.end())
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const session = connect(`http://127.0.0.1:${server.address().port}`)
  const stream = session.request({ ':method': 'POST', ':path': '/' })
  await new Promise((resolve) => stream.on('response', resolve))
  const turns = []
  for (let count = 0; count < MESSAGES; count += 1) stream.write(Buffer.alloc(BYTES), () => turns.push(turn))
  stream.end()
  stream.resume()
  await new Promise((resolve) => stream.on('close', resolve))
  session.close()
  server.close()
  return turns
}

async function main() {
  nextTurn()
  await overGrpc()
  const plain = await overHttp2()
  const taken = {
    client: new Set(handed.client).size,
    server: new Set(handed.server).size,
    plain: new Set(plain).size,
  }
  console.log(`@grpc/grpc-js ${require('@grpc/grpc-js/package.json').version}, Node ${process.versions.node}`)
  console.log(`${MESSAGES} messages of ${BYTES} bytes, written to one stream in one turn of the event loop:`)
  console.log(`  grpc-js client: handed to HTTP/2 in ${taken.client} turns (expected by this script: at least 150)`)
  console.log(`  grpc-js server: handed to HTTP/2 in ${taken.server} turns (at least 60)`)
  console.log(`  plain HTTP/2:   written in ${taken.plain} turns (at most 20)`)
  const holds = handed.client.length === MESSAGES && taken.client >= 150 && taken.server >= 60 && taken.plain <= 20
  if (holds) console.log('as described: grpc-js needs about a turn of the event loop per message.')
  else console.log('NO LONGER AS DESCRIBED: the turns per message are not those above.')
  process.exit(holds ? 0 : 1)
}

main()
END
node observe.cjs

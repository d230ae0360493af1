#!/usr/bin/env bash
# A grpc-js server takes the option for its HTTP/2 windows and does nothing with it.
#
# Expected:  'grpc-node.flow_control_window', which the package lists among its channel options, and which `new Server()`
#            accepts, widens the windows in which the server receives, as it does for a client.
# Instead:   only a client reads the option. A server with 1 MiB asked for receives in windows of 64 KiB, as without it:
#            after 64 KiB that nobody has read, the sender waits. There is no other option; what helps is to set the windows
#            on each session of the HTTP/2 servers inside the server object.
# Versions:  @grpc/grpc-js 1.14.7, Node 20.20 and Linux; a client stream of messages of 1 KiB to a handler that does not read.
# Matters:   a batch of more than 64 KiB, and a heartbeat behind it, waits for a round trip through both event loops; with
#            busy loops or long lines that is the throughput.
# Source:    transport.js in the package reads the option for the client's session; no file of the server does. The
#            package's README lists it without saying for whom. A change that adds it to the server has been proposed
#            upstream.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true }' > package.json
npm install --no-audit --no-fund --loglevel=error @grpc/grpc-js@1.14.7 > npm.log 2>&1 ||
  { cat npm.log; echo 'skipped: npm cannot install the packages'; exit 77; }

cat > observe.cjs <<'END'
const grpc = require('@grpc/grpc-js')
const MESSAGE = Buffer.alloc(1019) // and 5 bytes of gRPC's own before each
const MESSAGES_MAX = 4096
const WINDOW = 1024 * 1024
const asIs = (bytes) => bytes
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const Talk = {
  path: '/finding.Test/Talk',
  requestStream: true,
  responseStream: true,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
}

/** KiB that a client can send to a server that reads nothing. The retry buffer is off: it would report more. */
async function receivedBy(serverOptions, prepare) {
  const server = new grpc.Server(serverOptions)
  server.addService({ Talk }, { Talk: (call) => call.sendMetadata(new grpc.Metadata()) })
  const port = await new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  prepare(server)
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
    'grpc.per_rpc_retry_buffer_size': 0,
  })
  const call = client.makeBidiStreamRequest(Talk.path, asIs, asIs, new grpc.Metadata())
  call.on('error', () => {})
  await new Promise((resolve) => call.on('metadata', resolve))
  let written = 0
  const next = () => {
    call.write(MESSAGE, () => {
      written += 1
      if (written < MESSAGES_MAX) next()
    })
  }
  next()
  for (let still = 0, last = -1; still < 3; still += 1) {
    if (last !== written) still = 0
    last = written
    await pause(500)
  }
  call.cancel()
  client.close()
  server.forceShutdown()
  return written
}

/** What the option would do. */
function widen(server) {
  for (const listening of server.http2Servers.keys()) {
    listening.on('session', (session) => {
      session.settings({ initialWindowSize: WINDOW })
      session.setLocalWindowSize(WINDOW)
    })
  }
}

async function main() {
  console.log(`@grpc/grpc-js ${require('@grpc/grpc-js/package.json').version}, Node ${process.versions.node}`)
  const plain = await receivedBy({}, () => {})
  const asked = await receivedBy({ 'grpc-node.flow_control_window': WINDOW }, () => {})
  const widened = await receivedBy({}, widen)
  console.log('KiB on the way to a server that reads nothing:')
  console.log(`  without options:                                 ${plain}`)
  console.log(`  'grpc-node.flow_control_window': 1 MiB:          ${asked}`)
  console.log(`  windows set on the sessions of http2Servers:     ${widened}`)
  const holds = plain <= 128 && asked <= 128 && widened >= 512
  if (holds) console.log("as described: the server ignores the option, and a session's own windows work.")
  else console.log('NO LONGER AS DESCRIBED: the server minds the option, or its sessions cannot be widened.')
  process.exit(holds ? 0 : 1)
}

main()
END
node observe.cjs

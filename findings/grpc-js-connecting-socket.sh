#!/usr/bin/env bash
# A grpc-js client that is closed while its connection is being made never closes the socket.
#
# Expected:  `client.close()` ends what the client holds, also a connection that the server has taken without yet saying a
#            word of HTTP/2; the call that waited for it was cancelled before.
# Instead:   each socket stays open, on both ends, for as long as the server is silent. Nothing holds on to the attempt, so
#            nothing can end it. A client made anew for each attempt costs one descriptor each time.
# Versions:  @grpc/grpc-js 1.14.7, Node 20.20 and Linux; insecure credentials, a subchannel pool of its own per client.
# Matters:   a peer that stands still (a stopped process, whose kernel goes on taking connections) is dialled again and
#            again by those who look after it, until they are out of descriptors. Own the socket, and destroy it yourself.
# Source:    transport.js in the package has a method of the connector that would end the attempt; subchannel.js, which owns
#            the connector, does not call it. Seen here by counting the server's open sockets.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true }' > package.json
npm install --no-audit --no-fund --loglevel=error @grpc/grpc-js@1.14.7 > npm.log 2>&1 ||
  { cat npm.log; echo 'skipped: npm cannot install the packages'; exit 77; }

cat > observe.cjs <<'END'
const net = require('node:net')
const grpc = require('@grpc/grpc-js')
const asIs = (bytes) => bytes
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const CLIENTS = 5

async function main() {
  const open = new Set()
  let taken = 0
  const server = net.createServer((socket) => {
    taken += 1
    open.add(socket)
    socket.resume()
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  for (let made = 0; made < CLIENTS; made += 1) {
    const client = new grpc.Client(`127.0.0.1:${server.address().port}`, grpc.credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    })
    const call = client.makeBidiStreamRequest('/finding.Test/Talk', asIs, asIs)
    call.on('error', () => {})
    while (taken <= made) await pause(10)
    call.cancel()
    client.close()
  }
  await pause(8000)
  console.log(`@grpc/grpc-js 1.14.7, Node ${process.version}: ${open.size} of ${taken} sockets are open 8 s after close()`)
  process.exit(open.size === CLIENTS ? 0 : 1)
}
main()
END
timeout 60 node observe.cjs || { echo 'changed: the sockets of closed clients are closed'; exit 1; }

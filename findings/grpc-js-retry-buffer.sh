#!/usr/bin/env bash
# grpc-js says that a message is written while its retry buffer holds it, also with retries disabled.
#
# Expected:  the callback of `call.write(message, callback)` comes when the transport has taken the message, so that one who
#            waits for it never queues more than HTTP/2's windows let through. With 'grpc.enable_retries' set to 0 there is
#            nothing to be kept for a retry, so surely then.
# Instead:   while the call's retry buffer has room (1 MiB by default) the callback comes at the next tick, without an
#            error, wherever the message is. A peer that does not read gets 64 KiB; the sender is told that 1 MiB was
#            written, and write() never returns false meanwhile. It is so also with 'grpc.enable_retries' 0: the option turns
#            off repeating, not the buffer. It needs no connection: of messages to a port where nobody listens some are always
#            reported as written (1 MiB here), none with an error. Only a retry buffer of 0 bytes makes the callbacks true.
# Versions:  @grpc/grpc-js 1.14.7, Node 20.20 and Linux; one bidirectional stream, messages of 1 KiB.
# Matters:   a sender's own window or batching that counts on the callback counts nothing: a queue grows unseen by up to
#            1 MiB per call. Set 'grpc.per_rpc_retry_buffer_size' (or 'grpc.retry_buffer_size') to 0 where it matters.
# Source:    retrying-call.js in the package: a message for which the buffer tracker has room calls back by nextTick; the
#            state that 'grpc.enable_retries' sets is not asked there. Sizes: internal-channel.js.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true }' > package.json
npm install --no-audit --no-fund --loglevel=error @grpc/grpc-js@1.14.7 > npm.log 2>&1 ||
  { cat npm.log; echo 'skipped: npm cannot install the packages'; exit 77; }

cat > observe.cjs <<'END'
const http2 = require('node:http2')
const net = require('node:net')
const MESSAGE = Buffer.alloc(1024)
const MESSAGES_MAX = 4096

// Bytes that grpc-js gave to HTTP/2 streams. In place before grpc-js is loaded.
let handedBytes = 0
const { connect } = http2
http2.connect = (...given) => {
  const session = connect(...given)
  const { request } = session
  session.request = function (...asked) {
    const stream = request.apply(this, asked)
    const { write } = stream
    stream.write = function (chunk, ...more) {
      handedBytes += chunk.length
      return write.call(this, chunk, ...more)
    }
    return stream
  }
  return session
}

const grpc = require('@grpc/grpc-js')
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

/** A server whose handler accepts the stream and reads nothing. */
function serveUnread() {
  const server = new grpc.Server()
  server.addService({ Talk }, { Talk: (call) => call.sendMetadata(new grpc.Metadata()) })
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    )
  })
}

/** A port of this machine where nobody listens. */
async function unusedPort() {
  const server = net.createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Writes one message after another, each when the one before was reported; what was reported when nothing moves. */
async function fill(port, options) {
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), options)
  const call = client.makeBidiStreamRequest(Talk.path, asIs, asIs, new grpc.Metadata())
  const seen = { reported: 0, failed: 0, refusals: 0, code: null }
  handedBytes = 0
  call.on('error', (error) => {
    seen.code = error.code
  })
  const next = () => {
    const more = call.write(MESSAGE, (error) => {
      if (error) seen.failed += 1
      else seen.reported += 1
      if (!error && seen.reported < MESSAGES_MAX && seen.code === null) next()
    })
    if (!more) seen.refusals += 1
  }
  next()
  for (let still = 0, last = -1; still < 3; still += 1) {
    if (last !== seen.reported) still = 0
    last = seen.reported
    await pause(500)
  }
  const result = { ...seen, reportedKiB: seen.reported, handedKiB: Math.round(handedBytes / 1024) }
  call.cancel()
  client.close()
  return result
}

async function main() {
  console.log(`@grpc/grpc-js ${require('@grpc/grpc-js/package.json').version}, Node ${process.versions.node}`)
  const none = { 'grpc.enable_retries': 0 }
  const unbuffered = { 'grpc.per_rpc_retry_buffer_size': 0 }
  const server = await serveUnread()
  const print = (name, seen) =>
    console.log(
      `  ${name}: ${seen.reportedKiB} KiB reported as written, ${seen.handedKiB} KiB handed to HTTP/2, ` +
        `write() was false ${seen.refusals} times`,
    )
  console.log('a peer that reads nothing:')
  const byDefault = await fill(server, {})
  print('by default                              ', byDefault)
  const withoutRetries = await fill(server, none)
  print("'grpc.enable_retries': 0                ", withoutRetries)
  const honest = await fill(server, unbuffered)
  print("'grpc.per_rpc_retry_buffer_size': 0     ", honest)

  console.log('a port where nobody listens, 4096 messages at most:')
  const refused = await fill(await unusedPort(), none)
  const printRefused = (name, seen) =>
    console.log(`  ${name}: ${seen.reported} reported as written, ${seen.failed} with an error; status ${seen.code}`)
  printRefused("'grpc.enable_retries': 0                ", refused)
  const refusedHonest = await fill(await unusedPort(), unbuffered)
  printRefused("'grpc.per_rpc_retry_buffer_size': 0     ", refusedHonest)

  const buffers = (seen) => seen.reportedKiB >= 512 && seen.handedKiB <= 128 && seen.refusals === 0
  const holds =
    buffers(byDefault) &&
    buffers(withoutRetries) &&
    honest.reportedKiB <= 128 &&
    refused.reported >= 1 &&
    refused.failed === 0 &&
    refused.code === grpc.status.UNAVAILABLE &&
    refusedHonest.reported === 0
  if (holds) console.log('as described: the retry buffer reports messages as written, with retries disabled too.')
  else console.log('NO LONGER AS DESCRIBED: what is reported as written is not what the header says.')
  process.exit(holds ? 0 : 1)
}

main()
END
node observe.cjs

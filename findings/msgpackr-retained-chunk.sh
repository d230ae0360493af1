#!/usr/bin/env bash
# After msgpackr has packed one large value, every small encoding that is kept holds a chunk of many megabytes.
#
# Expected:  `pack(value)` returns the bytes of that value; to keep 7 bytes costs 7 bytes, or at worst a share of a small
#            pool, as with Node's own buffers.
# Instead:   encodings are views of a chunk that all packers of the process share. The chunk starts with 8 KiB, grows to
#            several times the largest value that was ever packed (12 MB for a text of 1 MiB), and never shrinks: each chunk
#            after it has its size. Small encodings of 280 bytes in all hold 50 MB; nothing of it is on the heap, it counts
#            as `arrayBuffers` in `process.memoryUsage()`.
# Versions:  msgpackr 2.1.3, Node 20.20 and Linux; plain objects, `pack` without options.
# Matters:   a cache or an outbox of encodings in a process that runs long and once packs something large holds more memory
#            than its own counters say, here 180,000 times as much. Copy what is kept: `Uint8Array.prototype.slice.call(bytes)`.
# Source:    pack.js in the package: a value that does not fit makes the chunk larger by four times what is needed; where
#            the chunk is used up, the next one has the same length.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --no-audit --no-fund --loglevel=error msgpackr@2.1.3 > npm.log 2>&1 ||
  { cat npm.log; echo 'skipped: npm cannot install the packages'; exit 77; }

cat > observe.js <<'END'
import { readFileSync } from 'node:fs'
import { pack, unpack } from 'msgpackr'
const { version } = JSON.parse(readFileSync('node_modules/msgpackr/package.json', 'utf8'))
console.log(`msgpackr ${version}, Node ${process.versions.node}`)

const small = (id) => pack({ id })
const fresh = small(0).buffer.byteLength

// Large values now and then, each let go at once; a small encoding is kept behind each.
const LARGE = 40
const kept = []
for (let id = 0; id < LARGE; id += 1) {
  const large = pack({ text: 'x'.repeat(1024 * 1024) })
  if (unpack(large).text.length !== 1024 * 1024) throw new Error('the large value did not come back')
  kept.push(small(id % 100))
}
const keptBytes = kept.reduce((sum, bytes) => sum + bytes.length, 0)
const chunks = new Set(kept.map((bytes) => bytes.buffer))
const heldBytes = [...chunks].reduce((sum, chunk) => sum + chunk.byteLength, 0)
const largest = Math.max(...[...chunks].map((chunk) => chunk.byteLength))

// From here on nothing large: three times as many bytes as the largest chunk has, in values of about 1 KB.
const text = 'y'.repeat(1000)
for (let bytes = 0; bytes < 3 * largest; bytes += 1000) pack({ text })
const later = small(1).buffer.byteLength
const copied = Uint8Array.prototype.slice.call(small(1)).buffer.byteLength

console.log(`chunk behind a small encoding, before anything large: ${fresh} bytes`)
console.log(`kept behind ${LARGE} values of 1 MiB, which were let go: ${keptBytes} bytes, in ${chunks.size} chunks of ${heldBytes} bytes`)
console.log(`chunk behind a small encoding, long after: ${later} bytes; behind a copy of it: ${copied}`)
const holds = heldBytes >= 1000 * keptBytes && heldBytes >= 4 * 1024 * 1024 && later >= 1024 * 1024 && copied <= 16 * 1024
if (holds) console.log('as described: small encodings hold chunks of the size that the largest value left behind.')
else console.log('NO LONGER AS DESCRIBED: small encodings hold no large chunks.')
process.exit(holds ? 0 : 1)
END
node observe.js

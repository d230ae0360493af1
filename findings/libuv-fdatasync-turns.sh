#!/usr/bin/env bash
# In Node a write with fdatasync behind it costs two turns of the event loop; a descriptor with O_DSYNC costs one.
#
# Expected:  `fs.write` and then `fs.fdatasync` take what the disk takes, and O_DSYNC, a sync with each write, is the slow way.
# Instead:   each call goes to libuv's thread pool and comes back when the loop turns, so the fdatasync is not even asked for
#            before the turn after the write. On a busy loop the two take two turns and a write to a descriptor with O_DSYNC
#            takes one: half the latency. On an idle loop O_DSYNC is no slower, and on a fast disk the way through the pool
#            is a part of the whole that can be seen: `fs.writeSync` and `fs.fdatasyncSync`, which do not take it, are
#            quicker, at the price of a blocked loop.
# Versions:  Node 20.20 with libuv 1.46, Linux, ext4; writes of 4 KiB over blocks that are there already. No package.
# Matters:   latency of a commit under load is counted in turns of the loop, not in milliseconds of the disk. A log that
#            makes one write per batch can save a turn per commit. Two calls at once are no way: the pool keeps no order.
# Source:    Node's documentation of `fs` (each callback form uses the pool) and of libuv's pool; open(2) on O_DSYNC.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > observe.cjs <<'END'
const fs = require('node:fs')
const { O_RDWR, O_DSYNC } = fs.constants
if (O_DSYNC === undefined) {
  console.log('skipped: this system has no O_DSYNC')
  process.exit(77)
}
const BLOCK = Buffer.alloc(4096, 1)
const BLOCKS = 256
const TURN_MS = 20

const open = (name, flags) => {
  fs.writeFileSync(name, Buffer.alloc(BLOCKS * BLOCK.length))
  const descriptor = fs.openSync(name, flags)
  fs.fsyncSync(descriptor)
  return descriptor
}
const plain = open('plain', O_RDWR)
const dsync = open('dsync', O_RDWR | O_DSYNC)
const blocking = open('blocking', O_RDWR)

let position = 0
const failed = (error) => {
  if (error) throw error
}
const ways = {
  fdatasync: () =>
    new Promise((resolve) => {
      fs.write(plain, BLOCK, 0, BLOCK.length, position, (error) => {
        failed(error)
        fs.fdatasync(plain, (problem) => {
          failed(problem)
          resolve()
        })
      })
    }),
  O_DSYNC: () =>
    new Promise((resolve) => {
      fs.write(dsync, BLOCK, 0, BLOCK.length, position, (error) => {
        failed(error)
        resolve()
      })
    }),
  fdatasyncSync: () => {
    fs.writeSync(blocking, BLOCK, 0, BLOCK.length, position)
    fs.fdatasyncSync(blocking)
  },
}

const microseconds = () => Number(process.hrtime.bigint()) / 1000
const median = (values) => values.sort((one, other) => one - other)[Math.floor(values.length / 2)]

let turn = 0
/** Medians of every way, tried in alternation. */
async function measure(rounds) {
  const seen = Object.fromEntries(Object.keys(ways).map((name) => [name, { times: [], turns: [] }]))
  for (let round = 0; round < rounds; round += 1) {
    position = (round % BLOCKS) * BLOCK.length
    for (const [name, write] of Object.entries(ways)) {
      const started = microseconds()
      const before = turn
      await write()
      seen[name].times.push(microseconds() - started)
      seen[name].turns.push(turn - before)
    }
  }
  return Object.fromEntries(
    Object.entries(seen).map(([name, { times, turns }]) => [
      name,
      { time: Math.round(median(times)), turns: median(turns) },
    ]),
  )
}

async function main() {
  console.log(`Node ${process.versions.node}, libuv ${process.versions.uv}`)
  const idle = await measure(300)
  let running = true
  const busyTurn = () => {
    turn += 1
    const until = microseconds() + TURN_MS * 1000
    while (microseconds() < until);
    if (running) setImmediate(busyTurn)
  }
  setImmediate(busyTurn)
  const busy = await measure(40)
  running = false
  console.log('medians, 4 KiB made durable:      idle loop         a loop with turns of 20 ms')
  for (const name of Object.keys(ways)) {
    const { time, turns } = busy[name]
    console.log(
      `  ${name.padEnd(28)} ${String(idle[name].time).padStart(8)} µs        ${String(time).padStart(8)} µs, ${turns} turns`,
    )
  }
  const saved = idle.O_DSYNC.time / idle.fdatasync.time
  const direct = idle.fdatasyncSync.time / idle.fdatasync.time
  console.log(`idle: O_DSYNC takes ${saved.toFixed(2)} of write and fdatasync, the blocking calls ${direct.toFixed(2)}`)
  const more = busy.fdatasync.turns - busy.O_DSYNC.turns
  const holds = busy.O_DSYNC.turns >= 1 && more >= 1 && saved < 3 && direct < 3
  if (holds) console.log(`as described: fdatasync behind a write costs ${more} more turn of the loop than O_DSYNC.`)
  else console.log('NO LONGER AS DESCRIBED: fdatasync behind a write costs no turn more, or O_DSYNC three times the time.')
  process.exit(holds ? 0 : 1)
}

main()
END
node observe.cjs

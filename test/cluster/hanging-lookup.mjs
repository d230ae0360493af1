// Runs in a network and mount namespace of its own (hanging-lookup.test.ts): a name server that never answers, and two of
// three nodes restarted with names as their peers, of which the third's lookup hangs. Prints one JSON line.
//   node hanging-lookup.mjs <package root> <scratch directory>
import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const [root = '', scratch = ''] = process.argv.slice(2)
const { fetchStatus } = await import(join(root, 'dist/src/client/index.js'))
const SETTLED_MS_MAX = 45_000

// Silent: whoever asks waits until his resolver gives up, five seconds and more for each of its tries.
let asked = 0
const nameServer = createSocket('udp4', () => {
  asked += 1
})
nameServer.bind(53, '127.0.0.1')
await once(nameServer, 'listening')

const port = (id) => 4600 + Number(id.slice(1))
const running = []

async function start(id, peers) {
  const words = [
    'start',
    '--id',
    id,
    '--listen',
    `127.0.0.1:${port(id)}`,
    '--peers',
    peers,
    '--data',
    join(scratch, id),
  ]
  const child = spawn(process.execPath, [join(root, 'dist/src/cli/main.js'), ...words, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  running.push(child)
  await once(child.stdout, 'data')
}

async function stopAll() {
  for (const child of running.splice(0)) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}

/** How long until `settled` holds for what these nodes say of themselves, ms; null: not in time. */
async function until(ids, settled) {
  const from = performance.now()
  while (performance.now() - from < SETTLED_MS_MAX) {
    const all = await Promise.all(ids.map((id) => fetchStatus(`127.0.0.1:${port(id)}`, 1000).catch(() => null)))
    if (settled(all)) return Math.round(performance.now() - from)
    await pause(20)
  }
  return null
}

// A node that holds no Configuration yet is one of a new cluster, and that elects nobody until all of its nodes are there:
// what a leader has heard of as written is in the others' files.
const begun = (all) =>
  all.some((status) => {
    const behind = status?.followers.filter(({ matchIndex }) => Number(matchIndex) < 1)
    return status?.role === 'leader' && status.followers.length > 0 && behind.length === 0
  })
const led = (all) => all.some((status) => status?.role === 'leader')

const three = ['n1', 'n2', 'n3']
const literal = three.map((id) => `${id}=127.0.0.1:${port(id)}`).join(',')
await Promise.all(three.map((id) => start(id, literal)))
const firstMs = await until(three, begun)
await stopAll()
// The hosts file knows n1.test and n2.test; n3.test is the name server's.
const named = three.map((id) => `${id}=${id}.test:${port(id)}`).join(',')
await Promise.all(['n1', 'n2'].map((id) => start(id, named)))
const leaderMs = await until(['n1', 'n2'], led)
await stopAll()
process.stdout.write(`${JSON.stringify({ firstMs, leaderMs, asked })}\n`)
process.exit(0)

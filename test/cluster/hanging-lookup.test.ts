import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { packageFacts } from '../../src/cli/package-root.ts'
import { compileOnce, temporaryDirectory } from './processes.ts'

beforeAll(compileOnce, 180_000)

/** A name server of one's own needs namespaces, which containers often forbid. */
const ENTER = ['-r', '-m', '-n', 'sh', '-c']
const hasNamespaces =
  spawnSync('unshare', [...ENTER, 'ip link set lo up && mount --bind /etc/hosts /etc/hosts']).status === 0

test.skipIf(!hasNamespaces)(
  'a name whose lookup hangs stops no other link: two of three elect (skipped where namespaces are forbidden)',
  async () => {
    const directory = await temporaryDirectory()
    const file = (name: string, text: string): string => {
      writeFileSync(join(directory, name), text)
      return join(directory, name)
    }
    const mounts = [
      `mount --bind ${file('resolv.conf', 'nameserver 127.0.0.1\n')} /etc/resolv.conf`,
      `mount --bind ${file('hosts', '127.0.0.1 localhost n1.test n2.test\n')} /etc/hosts`,
      `mount --bind ${file('nsswitch.conf', 'hosts: files dns\n')} /etc/nsswitch.conf`,
    ]
    const script = fileURLToPath(new URL('./hanging-lookup.mjs', import.meta.url))
    const run = `exec '${process.execPath}' '${script}' '${packageFacts().root}' '${directory}'`
    const child = spawn('unshare', [...ENTER, ['ip link set lo up', ...mounts, run].join(' && ')], { detached: true })
    onTestFinished(() => {
      // The whole group: the nodes of a run that was cut short.
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    })
    let out = ''
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
    })
    await once(child, 'close')
    const { firstMs, leaderMs, asked } = JSON.parse(out)
    expect(firstMs).not.toBe(null)
    expect(asked).toBeGreaterThan(0)
    expect(leaderMs).not.toBe(null)
  },
  180_000,
)

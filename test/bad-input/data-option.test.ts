import { spawnSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { executablePath } from '../../src/cli/package-root.ts'
import { compileOnce, temporaryDirectory } from '../cluster/processes.ts'

beforeAll(compileOnce)

const START = ['start', '--id', 'n1', '--peers', 'n1=127.0.0.1:4600']

interface Ended {
  readonly status: number | null
  readonly stderr: string
}

function ended(...words: string[]): Ended {
  return spawnSync(process.execPath, [executablePath(), ...words], { encoding: 'utf8' })
}

const canMount = spawnSync('unshare', ['--mount', 'true']).status === 0

describe('--data that can never work is refused at once, with its name and the cause', () => {
  test.each([
    ['/dev/null', 'no directory is in its place'],
    ['/proc/holdfast', 'Nothing can be made there'],
    [`/tmp/${'x'.repeat(300)}`, 'none that this system can follow'],
  ])('UNWRITABLE: %s', (path, cause) => {
    const { status, stderr } = ended(...START, '--data', path)
    expect(status).toBe(1)
    expect(stderr).toMatch(/--data.*UNWRITABLE/)
    expect(stderr).toContain(cause)
  })

  test('UNWRITABLE: a link that leads to itself', async () => {
    const directory = await temporaryDirectory()
    symlinkSync('loop', join(directory, 'loop'))
    const { status, stderr } = ended(...START, '--data', join(directory, 'loop'))
    expect(status).toBe(1)
    expect(stderr).toMatch(/--data.*UNWRITABLE/)
  })

  test.skipIf(!canMount)('UNWRITABLE: a new directory on a read-only file system', async () => {
    const directory = await temporaryDirectory()
    const data = join(directory, 'n1')
    const mounted = 'mount -t tmpfs -o ro none "$0" && exec "$@"'
    const words = [process.execPath, executablePath(), ...START, '--data', data]
    const isolated = ['--mount', 'sh', '-c', mounted, directory, ...words]
    const { status, stderr } = spawnSync('unshare', isolated, { encoding: 'utf8' })
    expect(status).toBe(1)
    expect(stderr).toMatch(/mkdir of the data directory failed.*EROFS.*read-only: mount it writable.*--data/)
    expect(stderr).toContain(data)
  })

  test.each([[START], [['dev', '--nodes', '3']]])('an empty name is a usage error: %s', (words) => {
    const { status, stderr } = ended(...words, '--data', '')
    expect(status).toBe(2)
    expect(stderr).toMatch(/--data.*It must name a directory/)
  })

  test.each(['/dev/null', '/proc/holdfast'])(
    'UNWRITABLE: a development cluster in %s, before it starts a node',
    (path) => {
      const { status, stderr } = ended('dev', '--nodes', '3', '--data', path)
      expect(status).toBe(1)
      expect(stderr).toMatch(/the data directory .* cannot be used.*UNWRITABLE.*\n.*--data/)
    },
  )
})

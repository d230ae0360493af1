import { beforeAll, onTestFinished, test } from 'vitest'
import { compileOnce } from '../cluster/processes.ts'
import { freePorts } from '../../src/cli/cluster/free-ports.ts'
import { blocksOf } from '../docs/blocks.ts'
import { read } from '../tidy/tree.ts'
import { emptyFolderBesidePackage } from './packed.ts'
import { Reader } from './reader.ts'

const MINUTE_MS = 60_000

beforeAll(compileOnce, 2 * MINUTE_MS)

test.each([
  ['the tutorial', 'docs/tutorial.md'],
  ['the page on running', 'docs/concepts/running.md'],
])('%s, typed line by line into an empty folder, does what it says', { timeout: 10 * MINUTE_MS }, async (_, page) => {
  const { folder, tarball } = await emptyFolderBesidePackage()
  const reader = new Reader({ folder, tarball, ports: await freePorts(3, '127.0.0.1') })
  onTestFinished(() => reader.killAll())
  for (const block of blocksOf(read(page))) await reader.read(block)
  await reader.leave()
})

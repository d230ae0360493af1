import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, vi } from 'vitest'
import { connect } from '../../../src/client/index.ts'
import { run } from '../../../src/cli/run.ts'
import { type RunningNode, startEmbedded } from '../../../src/host/index.ts'
import { counter } from '../../../src/machines/index.ts'

type Options = Parameters<typeof startEmbedded>[0]

/** A real node in this process, reached over gRPC by the command line; it lives as long as the file's tests. */
export function operatorNode(machines: Options['machines'] = [counter], more: Pick<Options, 'limits'> = {}) {
  let node: RunningNode
  let dataDirectory = ''
  beforeAll(async () => {
    dataDirectory = await mkdtemp(join(tmpdir(), 'holdfast-operator-'))
    node = await startEmbedded({ dataDirectory, machines, logLevel: 'silent', ...more })
  })
  afterAll(async () => {
    await node.close()
    await rm(dataDirectory, { recursive: true, force: true })
  })
  return {
    node: () => node,
    session: (principal: string, more: object = {}) => connect({ endpoints: [node.address], principal, ...more }),
    /** Runs one command line against the node. */
    holdfast: async (...words: string[]) => {
      const said = { out: '', err: '' }
      const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
        said.out += String(text)
        return true
      })
      const err = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
        said.err += String(text)
        return true
      })
      try {
        const code = await run(['node', 'holdfast', ...words, '--endpoints', node.address])
        return { code, ...said }
      } finally {
        out.mockRestore()
        err.mockRestore()
      }
    },
  }
}

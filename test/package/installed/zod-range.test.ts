import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { runNode } from '../../host/user-project.ts'
import { ROOT } from '../../tidy/tree.ts'
import { install, packed } from '../packed.ts'

const RANGE: string = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).peerDependencies.zod

/** What needs zod: definition, identity, parsing of inputs, issues, codes of rejections, tasks, generated commands. */
const SMOKE = `
import { createRequire } from 'node:module'
import { command, connect, defineMachine, identityOf, query, startEmbedded, table } from 'holdfast'
import { machineHarness } from 'holdfast/testing'
import { z } from 'zod'
const stock = defineMachine('stock', {
  version: 1,
  state: { items: table(z.string(), z.object({ free: z.int(), note: z.string().optional() })) },
  errors: { SOLD_OUT: z.object({ free: z.int() }) },
}, {
  commands: {
    reserve: command({
      input: z.object({ sku: z.string().min(1).max(9), units: z.int().min(1).default(1), how: z.enum(['a', 'b']).nullable() }),
      output: z.union([z.int(), z.literal('none')]),
    }, (ctx, { sku, units }) => {
      const { free } = ctx.state.items.get(sku) ?? { free: 2 }
      if (free < units) return ctx.reject('SOLD_OUT', { free })
      ctx.state.items.set(sku, { free: free - units })
      return free - units
    }),
  },
  queries: { free: query({ input: z.string(), output: z.int() }, (view, sku) => view.items.get(sku)?.free ?? -1) },
})
const node = await startEmbedded({ dataDirectory: 'data', machines: [stock] })
const session = await connect({ embedded: node, principal: 'user:ada', machines: [stock] })
const reserve = (input) => session.machines.stock.reserve(input)
const said = [
  await reserve({ sku: 'a', how: null }),
  await reserve({ sku: 'a', units: 2, how: 'b' }),
  await reserve({ sku: '', units: 0.5, how: 'c' }),
  await session.queries.stock.free('a'),
].map(({ kind, value, code, details }) => ({ kind, value, code, details }))
await session.close()
await node.close()
const unit = machineHarness(stock).session('user:ada').machines.stock.reserve({ sku: 'b', how: 'a' })
const { version } = createRequire(import.meta.url)('zod/package.json')
console.log(JSON.stringify({ version, said, unit, schema: identityOf(stock).schema }))
`

/** What the program says with that version of zod beside the package. */
async function saidWith(version: string): Promise<{ readonly version: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-zod-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const { tarball } = await packed()
  await install(directory, [tarball, `zod@${version}`])
  writeFileSync(join(directory, 'smoke.mjs'), SMOKE)
  const { code, out, err } = await runNode(directory, ['smoke.mjs'])
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return JSON.parse(out)
}

test('the lowest zod of the peer range does what the locked one does, and a machine has the same identity', async () => {
  const lowest = RANGE.replace(/^\^/, '')
  const { installed } = await packed()
  writeFileSync(join(installed, 'smoke.mjs'), SMOKE)
  const { out, err } = await runNode(installed, ['smoke.mjs'])
  expect(err).toBe('')
  const locked = JSON.parse(out)
  expect(locked.said.map(({ kind }: { kind: string }) => kind)).toEqual(['ok', 'rejected', 'notExecuted', 'ok'])
  expect(await saidWith(lowest)).toEqual({ ...locked, version: lowest })
})

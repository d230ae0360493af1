import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ROOT } from '../../tidy/tree.ts'
import { packedProject } from '../packed.ts'

/** A program that has a value or a type of every entry, and an error that the compiler has to see. */
const PROGRAM = `
import { command, connect, defineMachine, startNode, type SessionId } from 'holdfast'
import { connect as connectAgain, type ClientSession } from 'holdfast/client'
import { table } from 'holdfast/machine'
import { counter } from 'holdfast/machines'
import { machineHarness, testCluster } from 'holdfast/testing'
import { startEmbedded, type RunningNode } from 'holdfast/server'
import { z } from 'zod'

export const stock = defineMachine(
  'stock',
  {
    version: 1,
    state: { items: table(z.string(), z.object({ free: z.int() })) },
    errors: { SOLD_OUT: z.object({ free: z.int() }) },
  },
  {
    commands: {
      reserve: command({ input: z.object({ sku: z.string(), units: z.int() }), output: z.int() }, (ctx, { sku, units }) => {
        const { free } = ctx.state.items.get(sku) ?? { free: 5 }
        if (free < units) return ctx.reject('SOLD_OUT', { free })
        ctx.state.items.set(sku, { free: free - units })
        return free - units
      }),
    },
  },
)

export async function main(node: RunningNode, id: SessionId): Promise<number> {
  const session: ClientSession<readonly [typeof stock]> = await connect({ embedded: node, principal: id, machines: [stock] })
  const outcome = await session.machines.stock.reserve({ sku: 'a', units: 1 })
  if (outcome.kind === 'rejected' && outcome.code === 'SOLD_OUT') return outcome.details.free
  // @ts-expect-error: units are a number
  void session.machines.stock.reserve({ sku: 'a', units: 'one' })
  return outcome.kind === 'ok' ? outcome.value : 0
}

export const all = [connectAgain, counter, startNode, startEmbedded, testCluster([stock]), machineHarness(stock)] as const
`

/** Without what the declarations of xstate have by themselves: they do not hold under exactOptionalPropertyTypes. */
const ownErrors = (stdout: string): string => stdout.replace(/^\S*node_modules\/xstate\/.*\n(?: .*\n)*/gm, '')

describe('types of the package that is installed', () => {
  test.each([
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])(
    'module %s, resolution %s: a program of all entries compiles, and so do the declarations',
    async (module, resolution) => {
      const directory = await packedProject({
        'program.ts': PROGRAM,
        'tsconfig.json': JSON.stringify({
          compilerOptions: {
            target: 'es2023',
            lib: ['es2023'],
            types: ['node'],
            module,
            moduleResolution: resolution,
            strict: true,
            exactOptionalPropertyTypes: true,
            noUncheckedIndexedAccess: true,
            declaration: true,
            // Declarations of the package, and of what it depends on, hold by themselves.
            skipLibCheck: false,
            outDir: 'out',
          },
          files: ['program.ts'],
        }),
      })
      const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
      const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', directory], { encoding: 'utf8' })
      expect(ownErrors(stdout)).toBe('')
      if (stdout === '') expect(status).toBe(0)
    },
  )
})

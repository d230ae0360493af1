import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { command, defineMachine, query } from '../../src/machine/index.ts'
import { embeddedNode } from '../../src/testing/index.ts'

let kept = 0
const nothing = { input: z.null(), output: z.unknown() }
const careless = defineMachine(
  'careless',
  { version: 1, state: {} },
  {
    commands: {
      fail: command(nothing, () => {
        throw new Error('no such article')
      }),
      now: command(nothing, () => Date.now()),
      count: command(nothing, () => ++kept),
    },
    queries: { sine: query(nothing, () => Math.sin(1)) },
  },
)

test('an embedded node says to the client what a machine did wrong and where to read more; without development it does not', async () => {
  const node = await embeddedNode({ machines: [careless] })
  onTestFinished(() => node.close())
  const session = await node.session('user:a')
  const { fail, now, count } = session.machines.careless
  const hint = (thrown: string) => ({ code: 'MACHINE_ERROR', details: { hint: expect.stringContaining(thrown) } })
  expect(await fail(null)).toMatchObject(hint('Error: no such article; see machineFailed at index'))
  expect(await now(null)).toMatchObject(
    hint('Date.now() differs between replicas, so a machine may not use it; use ctx.now'),
  )
  expect(await count(null)).toMatchObject({ ...hint('it ran twice'), details: { reason: 'NONDETERMINISTIC' } })
  await expect(session.query('careless', 'sine', null)).resolves.toMatchObject(hint('Math.sin()'))
  expect(node.node.status().failures).toMatchObject({ total: 4, last: { kind: 'query', name: 'sine' } })
  const plain = await embeddedNode({ machines: [careless], development: false })
  onTestFinished(() => plain.close())
  const other = (await plain.session('user:a')).machines.careless
  const failed = await other.fail(null)
  expect(failed).toMatchObject({ code: 'MACHINE_ERROR', details: { machine: 'careless', reason: 'EXCEPTION' } })
  expect(JSON.stringify(failed)).not.toContain('no such article')
  expect(await other.now(null)).toMatchObject({ kind: 'ok' })
})

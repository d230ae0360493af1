import { expect, test, vi } from 'vitest'
import { z } from 'zod'
import { command, defineMachine, table } from '../../../src/machine/index.ts'
import { operatorNode } from '../sessions/operator-node.ts'

const overflow = (): never => overflow()

/** `deep` ends the stack; `add` does not. */
const well = defineMachine(
  'well',
  { version: 1, state: { rows: table(z.string(), z.int()) } },
  {
    commands: {
      deep: command({ input: z.object({}), output: z.int() }, (ctx) => {
        ctx.state.rows.set('deep', 1)
        return overflow()
      }),
      add: command({ input: z.object({}), output: z.int() }, (ctx) => {
        const next = (ctx.state.rows.get('added') ?? 0) + 1
        ctx.state.rows.set('added', next)
        return next
      }),
    },
  },
)

const { session, holdfast, node } = operatorNode([well])

test('recover skip shows where all have stopped, has it skipped once, and refuses what nobody has stopped at', async () => {
  const ada = await session('user:ada')
  expect(await holdfast('recover', 'skip')).toMatchObject({ code: 4, out: expect.stringContaining('has not stopped') })
  expect(await holdfast('recover', 'skip', '--entry', '3')).toMatchObject({ code: 2 })
  const outcome = ada.execute('well', 'deep', {}, { deadlineMs: 60_000 })
  await vi.waitFor(() => expect(node().status()).toMatchObject({ halted: { code: 'ENGINE_ERROR' } }), 20_000)
  const shown = JSON.parse((await holdfast('recover', 'skip', '--dry-run', '--json')).out)
  const [{ index }] = shown.voters
  expect(shown).toMatchObject({ voters: [{ part: 'command' }], refusal: '' })
  expect(shown.command).toBe(`holdfast recover skip --entry ${index} --part 'command'`)
  expect(node().status().halted).not.toBe(null)
  const elsewhere = await holdfast('recover', 'skip', '--entry', `${index - 1}`, '--part', 'command')
  expect(elsewhere).toMatchObject({ code: 4, err: expect.stringContaining('STOPPED_ELSEWHERE') })

  const skip = ['recover', 'skip', '--entry', `${index}`, '--part', 'command'] as const
  expect(await holdfast(...skip)).toMatchObject({
    code: 0,
    out: expect.stringContaining(`command of entry ${index} is skipped, by entry`),
  })
  expect(await outcome).toMatchObject({ kind: 'rejected', code: 'MACHINE_ERROR', details: { reason: 'SKIPPED' } })
  expect(await ada.execute('well', 'add', {})).toMatchObject({ kind: 'ok', value: 1 })
  expect(await holdfast(...skip)).toMatchObject({ code: 0, out: expect.stringContaining('is skipped already') })
})

import { counter, register } from 'holdfast/machines'
import { runWorkloadSeed } from 'holdfast/testing'
import { command, defineMachine } from 'holdfast'
import { z } from 'zod'
import { expect, test } from 'vitest'
import { historiesWorkload } from '../../src/cli/seeds/histories-workload.ts'
import { lists } from '../../src/sim/histories/lists-machine.ts'
import { sample } from '../effort.ts'

/** A slice of `npm run sim -- --workload histories`. */
const SEEDS = sample(4)
const FRESH_SEEDS = sample(2)
const TIMEOUT_MS = sample(300_000)

test(`histories of seeds 1 to ${SEEDS} can have happened`, { timeout: TIMEOUT_MS }, async () => {
  const seen = { operations: 0, unknown: 0, elections: 0 }
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { failure, workload, elections } = await runWorkloadSeed(historiesWorkload, seed)
    expect(failure, `seed ${seed}`).toBeNull()
    seen.operations += workload.operations
    seen.unknown += workload.unknown
    seen.elections += elections
  }
  expect(seen.operations).toBeGreaterThan(20 * SEEDS)
  expect(seen.unknown).toBeGreaterThan(0)
  expect(seen.elections).toBeGreaterThan(SEEDS)
})

test(`so can those of ${FRESH_SEEDS} fresh seeds`, { timeout: TIMEOUT_MS }, async () => {
  const first = Math.floor(Date.now() / 1000)
  console.log(`fresh seeds; again: holdfast sim --workload histories --seed ${first} --seeds ${FRESH_SEEDS}`)
  for (let at = 0; at < FRESH_SEEDS; at += 1) {
    expect((await runWorkloadSeed(historiesWorkload, first + at)).failure, `seed ${first + at}`).toBeNull()
  }
})

/** The first failure within eight seeds of machines that are not what they should be. */
async function failureOf(...machines: NonNullable<Parameters<typeof runWorkloadSeed>[2]>['machines'] & object) {
  for (let seed = 1; seed <= 8; seed += 1) {
    const { failure } = await runWorkloadSeed(historiesWorkload, seed, { machines })
    if (failure !== null) return failure
  }
  return null
}

test('a register that forgets some writes is found', { timeout: TIMEOUT_MS }, async () => {
  const text = z.string()
  const forgetful = defineMachine('register', register.schema, {
    ...register.behaviour,
    commands: {
      ...register.behaviour.commands,
      write: command(
        { input: z.object({ key: text, value: text }), output: z.null() },
        ({ state }: never, { key, value }) => {
          if (!value.endsWith('3'))
            (state as { values: { set(key: string, value: string): void } }).values.set(key, value)
          return null
        },
      ),
    },
  } as never)
  expect(await failureOf(forgetful as never, lists, counter)).toMatch(/registers are linearizable/)
})

test('a transaction that reads before others have appended is found', { timeout: TIMEOUT_MS }, async () => {
  const [run] = [lists.behaviour.commands['run']]
  const late = defineMachine('lists', lists.schema, {
    ...lists.behaviour,
    commands: {
      run: {
        ...run,
        handler: (ctx: { state: { lists: { get(key: string): number[] | undefined } } }, steps: never[]) => {
          const seen = steps.map((step: { do: string; key: string }) =>
            step.do === 'read' ? (ctx.state.lists.get(step.key) ?? []).slice(0, -1) : null,
          )
          ;(run as unknown as { handler(context: unknown, input: unknown): unknown }).handler(ctx, steps)
          return seen
        },
      },
    },
  } as never)
  expect(await failureOf(register, late as never)).toMatch(/transactions are strictly serializable/)
})

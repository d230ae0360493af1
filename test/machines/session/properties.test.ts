import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Value } from '../../../src/codec/value/value.ts'
import { session } from '../../../src/machines/index.ts'
import { sample } from '../../effort.ts'
import { INPUTS, invitations, sids } from '../lists/session-lists.ts'
import { A, B, C, DAY, HOUR, SEED, World } from './world.ts'

const PEOPLE = [A, B, C]

// Those that hold after every entry are checked in test/machines/lists.
describe('domain.md §1.11 properties', () => {
  const anything = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.constantFrom(...Object.keys(session.commands)).chain((name) =>
        fc.record({
          name: fc.constant(name),
          by: fc.constantFrom(...PEOPLE),
          input: fc.constantFrom(...(INPUTS[name] ?? [])),
        }),
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom(1, HOUR, DAY, 8 * DAY, 31 * DAY, 91 * DAY) },
  )
  type Step = { readonly name: string; readonly by: string; readonly input: Value } | number
  const lists = (most: number): fc.Arbitrary<readonly Step[]> =>
    fc.array(anything, { minLength: 5, maxLength: most, size: 'max' })
  const start: readonly Step[] = [
    { name: 'create', by: A, input: { invitee: { kind: 'person', ref: B }, tokenSeed: SEED, sendNow: true } },
    { name: 'acceptInvitation', by: B, input: invitations[0] ?? null },
  ]

  /** All rows of the machine, as text. */
  const rows = (world: World): string =>
    Object.keys(session.schema.state)
      .map((table) => JSON.stringify(world.harness.table('session', table as 'dialogues')))
      .join('\n')

  /** The text without what only says which entry it was. */
  const timeless = (world: World): string => rows(world).replaceAll(/"index":\d+/g, '')

  function run(world: World, steps: readonly Step[], ticks: boolean): void {
    for (const step of steps) {
      if (typeof step !== 'number') world.send(step.by, step.name, step.input)
      else if (!ticks) world.harness.advance(step)
      else for (const part of [1, step - 1, 0]) if (part >= 0) world.harness.advance(part)
      if (ticks) world.harness.advance(0)
    }
  }

  test('PL7 ticks between commands, at the same times, change nothing in the end', () => {
    fc.assert(
      fc.property(lists(25), (steps) => {
        const [plain, ticked] = [new World(), new World()]
        run(plain, [...start, ...steps], false)
        run(ticked, [...start, ...steps], true)
        expect(timeless(ticked)).toBe(timeless(plain))
      }),
      { numRuns: sample(12) },
    )
  })

  test('PL8 a refused command leaves every row as it was; PL4 a history holds its reader’s messages alone', () => {
    fc.assert(
      fc.property(lists(25), (steps) => {
        const world = new World()
        for (const step of [...start, ...steps]) {
          const before = rows(world)
          if (typeof step === 'number') world.harness.advance(step)
          else if (world.send(step.by, step.name, step.input).code !== 'ok') expect(rows(world)).toBe(before)
        }
        for (const reader of PEOPLE) {
          for (const sid of sids) {
            const { code, value } = world.ask(reader, 'history', { sid, limit: 100 })
            if (code !== 'ok') continue
            const messages = value as readonly { readonly senderId: string; readonly seq: number }[]
            expect(messages.every(({ senderId }) => senderId === reader)).toBe(true)
            expect(messages).toEqual([...messages].sort((left, right) => left.seq - right.seq))
          }
        }
      }),
      { numRuns: sample(12) },
    )
  })

  test('PL9 a pause and its end leave messages, readings and stages as they were, and tell how long it was', () => {
    fc.assert(
      fc.property(lists(15), fc.integer({ min: 0, max: 29 * DAY }), (steps, ms) => {
        const world = new World()
        run(world, [...start, ...steps.filter((step) => typeof step !== 'number')], false)
        if (world.harness.table('session', 'dialogues')[0]?.[1].status !== 'ACTIVE') return
        const kept = (): string =>
          JSON.stringify([
            world.harness.table('session', 'messages'),
            world.harness.table('session', 'readings'),
            world.harness.table('gates', 'stages'),
          ])
        const before = kept()
        world.ok(A, 'pause', { sid: 'ses-1' })
        world.harness.advance(ms)
        world.ok(B, 'resume', { sid: 'ses-1' })
        expect(kept()).toBe(before)
        expect(world.heard().at(-1)).toEqual(['SessionResumed', { sid: 'ses-1', pausedFor: ms }])
      }),
      { numRuns: sample(8) },
    )
  })

  test('PL2 a closed dialogue absorbs every command and timer but the flags of who put it away', () => {
    for (const status of ['RESOLVED', 'ABANDONED'] as const) {
      fc.assert(
        fc.property(lists(15), (steps) => {
          const world = new World()
          world.dialogueIn(status)
          const row = (): string => {
            const [[, dialogue] = []] = world.harness.table('session', 'dialogues')
            return JSON.stringify({ ...dialogue, archivedBy: [] })
          }
          const before = row()
          run(world, steps, false)
          expect(row()).toBe(before)
        }),
        { numRuns: sample(5) },
      )
    }
  })
})

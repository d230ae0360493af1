import { describe, expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import {
  command,
  defineMachine,
  type Forgotten,
  identityOf,
  type MachineSchema,
  mount,
  type OutputOf,
  type Personal,
  personal,
  query,
  table,
  task,
} from '../../../src/machine/index.ts'

const phone = personal('id', z.string())
const person = z.object({ id: z.string(), phone })
const schema = { version: 1, state: { people: table(z.string(), person) } } satisfies MachineSchema

const withInput = (input: z.ZodType) => () =>
  defineMachine('people', schema, { commands: { add: command({ input, output: z.null() }, () => null) } })
const withState = (state: MachineSchema['state']) => () =>
  defineMachine('people', { version: 1, state }, { commands: {} })

describe('a definition with personal fields', () => {
  test('is taken where they stand beside their subject, in lists, unions and records, optional or null', () => {
    expect(withInput(person)).not.toThrow()
    expect(withInput(z.array(z.object({ id: z.string().min(1), phone: phone.nullable().optional() })))).not.toThrow()
    expect(withInput(z.union([person, z.object({ id: z.string().optional(), phone }), z.null()]))).not.toThrow()
    expect(withInput(z.record(z.string(), z.object({ of: person })))).not.toThrow()
  })

  test.each([
    ['without its subject beside it', z.object({ phone }), 'the subject of a personal field is a text beside it'],
    [
      'with a subject that is no text',
      z.object({ id: z.int(), phone }),
      'the subject of a personal field is a text beside it',
    ],
    [
      'with a subject that is personal',
      z.object({ id: personal('id', z.string()), phone }),
      'the subject of a personal field is a text beside it',
    ],
    ['that is no field', phone, 'stands in an object'],
    ['in a list of its own', z.object({ id: z.string(), phones: z.array(phone) }), 'stands in an object'],
    ['inside a transform', person.transform((whole) => whole), 'a transform around a personal field'],
  ])('crashes for an input %s', (_what, input, sentence) => {
    expect(withInput(input)).toThrow(sentence)
  })

  test('crashes for one in a key, in an index, in the result of a task and in the input of a query', () => {
    // The compiler refuses the first two already.
    const keyed = { people: table(phone as unknown as z.ZodType<string>, z.null()) }
    expect(withState(keyed)).toThrow('a key holds no personal field')
    const indexed = { people: { ...table(z.string(), person), indexes: { byPhone: ['phone'] } } }
    expect(withState(indexed as unknown as MachineSchema['state'])).toThrow(
      'an indexed field holds text, numbers, booleans or bytes',
    )
    const call = task({ role: 'a', leaseMs: 1000, maxAttempts: 1, backoffMs: [], payload: z.null(), result: person })
    expect(() =>
      defineMachine(
        'people',
        { ...schema, tasks: { call } },
        { commands: {}, tasks: { call: { onResult: () => null, onFailed: () => undefined } } },
      ),
    ).toThrow('the result of a task holds no personal field')
    expect(() =>
      defineMachine('people', schema, {
        commands: {},
        queries: { find: query({ input: person, output: z.null() }, () => null) },
      }),
    ).toThrow('the input of a query holds no personal field')
  })

  test('has another fingerprint than one whose field is not personal, or is another subject’s', () => {
    const of = (field: z.ZodType) =>
      identityOf(
        defineMachine(
          'people',
          { version: 1, state: {} },
          {
            commands: {
              add: command(
                { input: z.object({ id: z.string(), other: z.string(), field }), output: z.null() },
                () => null,
              ),
            },
          },
        ),
      ).schema
    const fingerprints = [z.string(), personal('id', z.string()), personal('other', z.string())].map(of)
    expect(new Set(fingerprints).size).toBe(3)
  })

  test('is refused its commands by a host without keys', () => {
    const add = command({ input: person, output: person }, (_context, input) => input)
    const people = defineMachine('people', schema, { commands: { add } })
    const mounted = mount([people], sessionCodec)
    expect([mounted.isPersonal, mounted.holdsPersonal('people', 'add'), mounted.holdsPersonal('other', 'add')]).toEqual(
      [true, true, false],
    )
    const input = sessionCodec.encodeValue({ id: 'ann', phone: '1' })
    expect(mounted.parse('people', 'add', input)).toMatchObject({ ok: false, code: 'VALIDATION_ERROR' })
    expectTypeOf<OutputOf<typeof people.commands.add>>().toEqualTypeOf<{
      readonly id: string
      readonly phone: string | Forgotten
    }>()
    expectTypeOf<z.output<typeof phone>>().toEqualTypeOf<Personal<string>>()
  })
})

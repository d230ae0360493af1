import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import { bare, command, defineMachine, mount } from '../../../src/machine/index.ts'
import { MemoryHost } from '../run/memory-context.ts'

const codec = sessionCodec

describe('bare machines', () => {
  test('FR-001 the bare three functions are mounted beside defined machines and can be called by them', () => {
    const echo = bare('echo', {
      apply: (_context, { command: name, input }) =>
        name === 'say' ? { kind: 'value', value: input } : { kind: 'reject', code: 'NOPE', details: null },
      onSessionCreated: () => undefined,
      onSessionExpired: () => undefined,
    })
    const caller = defineMachine(
      'caller',
      { version: 1, state: {} },
      {
        commands: {
          say: command({ input: z.string(), output: z.unknown() }, (ctx, name) => ctx.call('echo', name, 'hi')),
        },
      },
    )
    const world = new MemoryHost(mount([echo, caller], codec).userMachine)
    expect(world.apply('echo', 'say', 1)).toEqual({ kind: 'value', value: 1 })
    expect(world.apply('caller', 'say', 'say')).toEqual({ kind: 'value', value: 'hi' })
    expect(world.apply('caller', 'say', 'shout')).toEqual({ kind: 'reject', code: 'NOPE', details: null })
    expect(world.query('echo', 'x', 1)).toMatchObject({ code: 'UNKNOWN_QUERY' })
  })
})

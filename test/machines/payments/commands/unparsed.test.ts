import { describe, expect, test } from 'vitest'
import { UNPARSED_RING, WEBHOOK_ROLE } from '../../../../src/machines/index.ts'
import { ADMIN, CLIENT, WORKER, World } from '../world.ts'

interface Unparsed {
  readonly bodies: readonly { readonly seq: number; readonly body: string; readonly times: number }[]
  readonly next: number | null
}

const told = (body: string) => ({ field: 'Body', reason: 'is missing', body, bytes: body.length })

describe('domain.md §3.13 a body that does not parse is kept for a person', () => {
  test('domain.md §3.13 once, with an alert; the same one is counted', () => {
    const world = new World()
    const at = world.now
    expect(world.ok(WORKER, 'keepUnparsed', told('{}'))).toEqual({ seq: 1, times: 1 })
    world.pass(1000)
    expect(world.ok(WORKER, 'keepUnparsed', told('{}'))).toEqual({ seq: 1, times: 2 })
    expect(world.ok(WORKER, 'keepUnparsed', told('[]'))).toEqual({ seq: 2, times: 1 })
    const alerts = world.notes(ADMIN).map(({ body }) => body)
    expect(alerts).toMatchObject([1, 2].map((seq) => ({ kind: 'CALLBACK_UNPARSED', details: { seq, field: 'Body' } })))
    const row = { field: 'Body', reason: 'is missing', bytes: 2 }
    expect(world.answer(ADMIN, 'unparsed', {})).toEqual({
      bodies: [
        { seq: 2, ...row, body: '[]', at: world.now, lastAt: world.now, times: 1 },
        { seq: 1, ...row, body: '{}', at, lastAt: world.now, times: 2 },
      ],
      next: null,
    })
  })

  test('domain.md §3.13 the oldest go first, and one that went is new again', () => {
    const world = new World()
    for (let number = 1; number <= UNPARSED_RING + 2; number += 1) world.ok(WORKER, 'keepUnparsed', told(`n${number}`))
    const pages: Unparsed[] = []
    for (let before: number | null = Number.MAX_SAFE_INTEGER; before !== null; before = pages.at(-1)?.next ?? null) {
      pages.push(world.answer<Unparsed>(ADMIN, 'unparsed', { before, limit: 70 }))
    }
    const seqs = pages.flatMap(({ bodies }) => bodies.map(({ seq }) => seq))
    expect(seqs).toEqual(Array.from({ length: UNPARSED_RING }, (_, at) => UNPARSED_RING + 2 - at))
    expect(world.ok(WORKER, 'keepUnparsed', told('n1'))).toEqual({ seq: UNPARSED_RING + 3, times: 1 })
    expect(world.ok(WORKER, 'keepUnparsed', told('n5'))).toMatchObject({ seq: 5, times: 2 })
  })

  test('domain.md §3.13 by the webhook and by workers, and read by administrators', () => {
    const world = new World()
    world.open('worker:webhook', [WEBHOOK_ROLE])
    expect(world.ok('worker:webhook', 'keepUnparsed', told('{}'))).toEqual({ seq: 1, times: 1 })
    expect(world.refused(CLIENT, 'keepUnparsed', told('{}'))).toMatchObject({ code: 'FORBIDDEN' })
    expect(world.ask(CLIENT, 'unparsed', {})).toMatchObject({ kind: 'reject', code: 'FORBIDDEN' })
    expect(world.ask(null, 'unparsed', {})).toMatchObject({ kind: 'reject', code: 'UNAUTHENTICATED' })
  })
})

import { expect, test } from 'vitest'
import { operatorNode } from '../sessions/operator-node.ts'

const { holdfast, node } = operatorNode()

const send = (input: object, ...words: string[]) =>
  holdfast('machine', 'send', 'counter', 'increment', JSON.stringify(input), ...words)

test('a dry run says what the command would do, and the node stays as it is', async () => {
  await send({ name: 'visits', by: 2 })
  const before = node().status()
  const { code, out } = await send({ name: 'visits', by: 3 }, '--dry-run')
  expect(code).toBe(0)
  expect(out).toMatch(/^ok: 5\ntried as entry \d+ by n1; nothing of it stays\n/)
  expect(out).toMatch(/row +user\/counter\/counters\/\["visits"\] +2 → 5\n/)
  expect(out).toMatch(/request +0\/1\/\d+ +counter\.changed \{"name":"visits","value":5\}\n/)
  const json = JSON.parse((await send({ name: 'visits', by: 3 }, '--dry-run', '--json')).out)
  expect(json).toMatchObject({
    kind: 'ok',
    value: 5,
    dryRun: true,
    changes: [{ key: 'user/counter/counters/["visits"]', before: 2, after: 5 }],
    requests: [{ type: 'counter.changed', payload: { name: 'visits', value: 5 } }],
    timers: [],
    tasks: [],
  })
  const { stateHash, appliedIndex, lastIndex } = node().status()
  expect({ stateHash, appliedIndex, lastIndex }).toEqual({
    stateHash: before.stateHash,
    appliedIndex: before.appliedIndex,
    lastIndex: before.lastIndex,
  })
  expect((await send({ name: 'visits', by: 3 })).out).toMatch(/^ok at index \d+: 5\n$/)
})

test('a dry run ends with 4 for what the machine, or the node before it, would refuse', async () => {
  expect(await send({ name: 'visits', by: 5000 }, '--dry-run')).toMatchObject({
    code: 4,
    out: expect.stringMatching(/^rejected: TOO_BIG \{"max":1000\}\n/),
  })
  expect(await send({ name: 1 }, '--dry-run')).toMatchObject({
    code: 4,
    out: '',
    err: expect.stringContaining('(VALIDATION_ERROR)'),
  })
})

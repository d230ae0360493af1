import { expect, test } from 'vitest'
import { nodeId } from '../../../src/base/brand.ts'
import { APPLY_BEHIND_MAX } from '../../../src/node/options.ts'
import { Serving, type ServingParts } from '../../../src/node/serving.ts'

test('a leader that is behind with applying by more than the bound takes nothing until it has caught up', () => {
  const pipeline = { behind: APPLY_BEHIND_MAX }
  const heard: string[] = []
  const parts = {
    self: nodeId('n1'),
    proposals: { add: () => heard.push('taken'), isFull: false },
    pipeline: () => pipeline,
    room: { short: false },
    role: () => 'leader',
    leader: () => nodeId('n1'),
    leading: () => true,
    proposed: () => undefined,
  }
  const serving = new Serving(parts as unknown as ServingParts)
  const sink = { refused: (code: string, leader: string | null) => heard.push(`${code} ${leader}`) }
  const submit = () => serving.submit('ClientRequest', new Uint8Array(1), sink as never)
  submit()
  pipeline.behind += 1
  submit()
  pipeline.behind -= 1
  submit()
  expect(heard).toEqual(['taken', 'APPLY_BEHIND n1', 'taken'])
})

import { expect, test } from 'vitest'
import { peerRefusals } from '../../src/server/peer-refusals.ts'

test('each refusal between nodes is said once, with what to do; ordinary changes of a connection are not', () => {
  const lines: string[] = []
  const note = peerRefusals((refusal) => lines.push(refusal.sentence))
  for (let dialled = 0; dialled < 3; dialled += 1) {
    note({ peer: 'n2', event: 'connected', message: '127.0.0.1:4601' })
    note({
      peer: 'n2',
      event: 'refused',
      message: 'WRONG_INSTANCE: node n2 has another data directory than the sender knows',
    })
    note({ peer: null, event: 'WRONG_CLUSTER', message: 'this node belongs to cluster a, the frame to b' })
    note({ peer: 'n3', event: 'gone', message: 'connect ECONNREFUSED' })
    note({ peer: 'n3', event: 'refused', message: 'The server does not implement the method' })
  }
  expect(lines).toEqual([
    'n2 refuses this node: WRONG_INSTANCE: node n2 has another data directory than the sender knows. Start it on the directory that its peers know. If that is lost: `holdfast member replace ID` gives its place to the new one.',
    "a peer's frames are refused: WRONG_CLUSTER: this node belongs to cluster a, the frame to b. Check the addresses in the configuration.",
    'n3 refuses this node: The server does not implement the method.',
  ])
})

test('a flood of different refusals is cut off', () => {
  const lines: string[] = []
  const note = peerRefusals((refusal) => lines.push(refusal.sentence))
  for (let flood = 0; flood < 1000; flood += 1)
    note({ peer: null, event: 'WRONG_CLUSTER', message: `of cluster ${flood}` })
  expect(lines).toHaveLength(64)
})

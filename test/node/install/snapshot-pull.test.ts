import { expect, test } from 'vitest'
import { logIndex, nodeId } from '../../../src/base/brand.ts'
import { SnapshotPull, type SnapshotPullPorts } from '../../../src/node/install/snapshot-pull.ts'
import type { SnapshotMeta } from '../../../src/node/ports/snapshot-store.ts'
import type { AnswerSnapshot } from '../../../src/node/ports/snapshot-transfer.ts'

const N1 = nodeId('n1')
const NOTHING = { lastKey: null, rows: 0, bytes: new Uint8Array(0) }

/** A pull whose requests the test answers, of snapshots without rows. */
function world() {
  const begun: number[] = []
  const completed: number[] = []
  const requests: AnswerSnapshot[] = []
  let now = 0
  const pull = new SnapshotPull({
    store: {
      install: ({ meta }: { meta: SnapshotMeta }, done: (fault: null, install: object) => void) => {
        begun.push(meta.lastIncludedIndex)
        done(null, { abandon: (told: () => void) => told() })
      },
    },
    codec: {},
    clock: { monotonicMs: () => now },
    machine: { successor: () => ({}) },
    askAgainMs: 100,
    ask: (_from: unknown, _part: unknown, done: AnswerSnapshot) => requests.push(done),
    complete: ({ meta }: { meta: SnapshotMeta }) => completed.push(meta.lastIncludedIndex),
    fault: () => undefined,
  } as unknown as SnapshotPullPorts)
  const answer = (index: number): void => {
    const meta = { lastIncludedIndex: logIndex(index) } as SnapshotMeta
    requests.at(-1)?.({ meta, total: 0, after: null, part: NOTHING })
  }
  const wait = (ms: number): void => {
    now += ms
  }
  return { pull, begun, completed, requests, answer, wait }
}

test('a snapshot that is older than what the leader’s log begins behind is not begun: its log could not go on from it', () => {
  const { pull, begun, completed, requests, answer, wait } = world()
  pull.want(N1, logIndex(100))
  answer(99)
  expect([begun, completed]).toEqual([[], []])
  wait(100)
  pull.want(N1, logIndex(100))
  expect(requests).toHaveLength(2)
  answer(100)
  expect([begun, completed]).toEqual([[100], [100]])
})

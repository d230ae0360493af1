import { expect, test } from 'vitest'
import { logIndex, nodeId } from '../../../src/base/brand.ts'
import { packRows } from '../../../src/codec/rows/packed-rows.ts'
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
  const asked: { readonly index: number; readonly after: string | null }[] = []
  let now = 0
  const pull = new SnapshotPull({
    store: {
      install: ({ meta }: { meta: SnapshotMeta }, done: (fault: null, install: object) => void) => {
        begun.push(meta.lastIncludedIndex)
        done(null, {
          write: (_part: unknown, written: (fault: null) => void) => written(null),
          abandon: (told: () => void) => told(),
        })
      },
    },
    codec: {},
    clock: { monotonicMs: () => now },
    machine: { successor: () => ({}) },
    askAgainMs: 100,
    ask: (_from: unknown, part: { index: number; after: string | null }, done: AnswerSnapshot) => {
      asked.push(part)
      requests.push(done)
    },
    complete: ({ meta }: { meta: SnapshotMeta }) => completed.push(meta.lastIncludedIndex),
    fault: () => undefined,
  } as unknown as SnapshotPullPorts)
  const answer = (index: number): void => {
    const meta = { lastIncludedIndex: logIndex(index) } as SnapshotMeta
    requests.at(-1)?.({ meta, total: 0, after: null, part: NOTHING })
  }
  /** One row of the snapshot at that index, of which more follow. */
  const answerRow = (index: number): void => {
    const meta = { lastIncludedIndex: logIndex(index) } as SnapshotMeta
    const part = { lastKey: 'a', rows: 1, bytes: packRows([]) }
    requests.at(-1)?.({ meta, total: 2, after: asked.at(-1)?.after ?? null, part })
  }
  const wait = (ms: number): void => {
    now += ms
  }
  return { pull, begun, completed, requests, asked, answer, answerRow, wait }
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

test('a snapshot that the leader’s log begins above, while it is pulled, is given up for a newer one', () => {
  const { pull, begun, completed, asked, answer, answerRow, wait } = world()
  pull.want(N1, logIndex(100))
  answerRow(100)
  expect(asked.at(-1)).toEqual({ index: 100, after: 'a' })
  // The leader serves the old one for as long as it is asked for: it would be asked for ever.
  wait(100)
  pull.want(N1, logIndex(200))
  expect(asked.at(-1)).toEqual({ index: 0, after: null })
  answer(200)
  expect([begun, completed]).toEqual([[100, 200], [200]])
})

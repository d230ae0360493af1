import { expect, test } from 'vitest'
import { logIndex, nodeId } from '../../../src/base/brand.ts'
import type { ChangeOutcome } from '../../../src/node/membership/membership.ts'
import type { MemberChange } from '../../../src/node/membership/plan-change.ts'
import { Cluster } from '../cluster.ts'

function refusalOf(cluster: Cluster, change: Pick<MemberChange, 'kind' | 'basedOn'>, id: string): ChangeOutcome | null {
  let told: ChangeOutcome | null = null
  cluster.leader.driver.membership.change(
    { ...change, id: nodeId(id), learner: false },
    (outcome) => void (told = outcome),
  )
  cluster.clock.settle()
  return told
}

test('a change of members that are others by now is refused as such, whatever it would mean for those of now', () => {
  const cluster = Cluster.started()
  const since = { kind: 'refused', code: 'CHANGED_SINCE' }
  const present = logIndex(cluster.leader.driver.membership.list().index)
  for (const [kind, id, now] of [
    ['add', 'n1', 'MEMBER_EXISTS'],
    ['remove', 'n9', 'MEMBER_UNKNOWN'],
    ['replace', 'n1', 'MEMBER_ALIVE'],
  ] as const) {
    expect(refusalOf(cluster, { kind, basedOn: logIndex(present + 1) }, id)).toEqual(since)
    for (const basedOn of [present, null]) {
      expect(refusalOf(cluster, { kind, basedOn }, id)).toEqual({ kind: 'refused', code: now })
    }
  }
})

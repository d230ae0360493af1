import { describe, expect, test } from 'vitest'
import { logIndex, type NodeId } from '../../../src/base/brand.ts'
import { encodePayload } from '../../../src/codec/entry/payload-codec.ts'
import { KnownSkips } from '../../../src/node/skip/known-skips.ts'
import { StopRecovery } from '../../../src/node/skip/stop-recovery.ts'
import { TestClock } from '../test-clock.ts'

const SELF = 'n1' as NodeId
const OTHER = 'n2' as NodeId

/** A node whose log has a SkipEntry at 20, of the command at 10. */
function world({ commitIndex = 20, snapshotIndex = 5 } = {}) {
  const found = [{ index: logIndex(20), payload: encodePayload('SkipEntry', { index: 10, part: 'command' }) }]
  const at = { commitIndex, snapshotIndex }
  const skips = new KnownSkips(found, () => logIndex(at.commitIndex))
  const clock = new TestClock()
  const told: unknown[] = []
  const reloads: number[] = []
  const pulls: number[] = []
  const recovery = new StopRecovery({
    self: SELF,
    voters: () => [SELF, OTHER],
    connected: () => true,
    changed: () => undefined,
    clock,
    everyMs: 1000,
    skips,
    commitIndex: () => logIndex(at.commitIndex),
    snapshotIndex: () => logIndex(at.snapshotIndex),
    tell: (stop) => told.push(stop),
    pull: (least) => pulls.push(least),
    pullNoMore: () => undefined,
    reload: (doubted) => reloads.push(doubted),
    leads: () => true,
    takes: () => true,
    propose: () => undefined,
  })
  return { at, skips, recovery, told, reloads, pulls, clock }
}

const ENGINE = { code: 'ENGINE_ERROR', index: 10, part: 'command', message: '' } as const
const MISSED = { code: 'SKIP_MISSED', index: 20, message: '' } as const

describe('a node that has stopped', () => {
  test('makes its state anew once the skip is committed; one that is not is not carried out', () => {
    const { at, skips, recovery, reloads } = world({ commitIndex: 19 })
    recovery.halted(ENGINE)
    expect([reloads, skips.isOpen(10), skips.partsOf(10)]).toEqual([[], true, []])
    at.commitIndex = 20
    recovery.look()
    recovery.look()
    expect([reloads, skips.isOpen(10), skips.partsOf(10)]).toEqual([[10], false, ['command']])
  })

  test.each([ENGINE, MISSED])('and stops there once more does not begin again without end: $code', (halt) => {
    const { recovery, reloads, pulls } = world()
    recovery.halted(halt)
    recovery.resumed()
    recovery.halted(halt)
    recovery.look()
    expect(reloads).toEqual([10])
    // Another voter may have got past it.
    expect(pulls).toEqual([halt.index, halt.index])
  })

  test('because it ran what was skipped asks for the snapshot of another, if its own is of that state', () => {
    const { recovery, told, reloads, clock } = world({ snapshotIndex: 12 })
    recovery.halted(MISSED)
    const stop = { index: 20, part: 'skipMissed' }
    expect([told, reloads, recovery.stops.newestBelow(20)]).toEqual([[stop], [], 20])
    clock.advance(1000)
    expect(told).toEqual([stop, stop])
    // That is nothing which could be skipped.
    recovery.stops.hear(OTHER, stop)
    expect(recovery.stops.common()).toBeNull()
  })

  test('because it ran what was skipped says nothing while it heals itself', () => {
    const { recovery, told, reloads, clock } = world()
    recovery.halted(MISSED)
    clock.advance(1000)
    recovery.asked(OTHER)
    expect([told.filter((stop) => stop !== null), reloads]).toEqual([[], [10]])
  })
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { SessionRecord } from '../../../src/session/clients/session-record.ts'
import { Workers } from '../../../src/session/clients/workers.ts'

const worker = (index: number, roles: readonly string[]): SessionRecord =>
  ({ leases: 0, row: { index, info: { roles } } }) as unknown as SessionRecord

/** Everybody looked at: fewest leases, then lowest index. */
function picked(
  live: Iterable<SessionRecord>,
  role: string,
  leasesMax: number,
  fits: (session: SessionRecord) => boolean,
): SessionRecord | null {
  let best: SessionRecord | null = null
  for (const one of live) {
    if (!one.row.info.roles.includes(role) || one.leases >= leasesMax || !fits(one)) continue
    if (best === null || one.leases < best.leases) best = one
    else if (one.leases === best.leases && one.row.index < best.row.index) best = one
  }
  return best
}

test('the next worker is the one that a look at everybody finds, whoever came, went, and holds what', () => {
  const step = fc.record({
    kind: fc.constantFrom('add', 'add', 'remove', 'lease', 'lease', 'lease', 'release'),
    index: fc.nat({ max: 7 }),
    roles: fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.nat({ max: 3 }), (steps, misfit) => {
      const workers = new Workers()
      const live = new Map<number, SessionRecord>()
      for (const { kind, index, roles } of steps) {
        const known = live.get(index)
        if (kind === 'add' && known === undefined) {
          const session = worker(index, roles)
          live.set(index, session)
          workers.add(session)
        } else if (kind === 'remove' && known !== undefined) {
          live.delete(index)
          workers.remove(known)
        } else if (kind === 'lease' && known !== undefined) workers.lease(known, 1)
        else if (kind === 'release' && known !== undefined && known.leases > 0) workers.lease(known, -1)
        for (const role of ['a', 'b', 'c', 'd']) {
          const fits = (session: SessionRecord): boolean => session.row.index !== misfit
          expect(workers.pick(role, 3, fits)).toBe(picked(live.values(), role, 3, fits))
        }
      }
    }),
  )
})

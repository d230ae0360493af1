import { describe, expect, test } from 'vitest'
import { nodeId } from '../../../src/base/brand.ts'
import { firstVersions, MachineAdvances, type VoterBuilds } from '../../../src/node/propose/machine-advances.ts'
import type { Build } from '../../../src/node/ports/peer-transport.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import { OWN_MACHINE } from '../../../src/session/own-versions.ts'
import type { BuildMachine } from '../../../src/session/user-machine.ts'
import { bareMachine, counterHandlers } from '../../session/bare-machine.ts'
import { codec, Log } from '../../session/log.ts'

const [A, B] = ['a'.repeat(64), 'b'.repeat(64)]
const machine = (name: string, ...versions: readonly (readonly [version: number, schema: string])[]): BuildMachine => ({
  name,
  versions: versions.map(([version, schema]) => ({ version, schema, code: '' })),
})
const build = (...machines: readonly BuildMachine[]): Build => ({
  machines,
  runtime: 'v20',
  holdfast: '0',
  development: false,
})

const byVoter = (said: readonly (Build | null)[]): VoterBuilds =>
  new Map(said.map((build, at) => [nodeId(`n${at + 1}`), build]))

/** A leader that has these machines, and what its voters have said. */
function leaderOf(machines: readonly BuildMachine[], said: readonly (Build | null)[], migrate?: () => void) {
  const log = new Log(bareMachine(counterHandlers, { machines, ...(migrate === undefined ? {} : { migrate }) }))
  const voters = { said }
  return { log, voters, advances: new MachineAdvances(log.machine, () => byVoter(voters.said)) }
}

describe('a log that an earlier build began', () => {
  const both = [machine('a', [1, A], [2, B]), machine('b', [1, ''])]

  test.each<[string, readonly (Build | null)[]]>([
    ['a voter has said nothing', [build(...both), null]],
    ['a voter lacks a machine', [build(...both), build(machine('a', [1, A]))]],
    ['a voter has one more', [build(...both), build(...both, machine('c', [1, A]))]],
    ['a voter has another schema', [build(...both), build(machine('a', [1, B]), machine('b', [1, '']))]],
    ['a voter begins with another version', [build(...both), build(machine('a', [2, B]), machine('b', [1, '']))]],
  ])('gets no entry that the earlier build does not know while %s', (_what, said) => {
    expect(leaderOf(both, said).advances.next()).toBeNull()
  })

  test('gets one entry with all machines, each at its lowest version, once all voters have them; then the newer ones', () => {
    const { log, advances } = leaderOf(both, [build(...both), build(...both)])
    const first = advances.next()
    expect(first).toEqual([
      { machine: 'a', to: 1, schema: A },
      { machine: 'b', to: 1, schema: '' },
    ])
    log.append('AdvanceVersion', { machines: first ?? [] })
    expect(advances.next()).toEqual([{ machine: 'a', to: 2, schema: B }])
    log.append('AdvanceVersion', { machines: advances.next() ?? [] })
    expect(advances.next()).toBeNull()
  })
})

describe('a newer version', () => {
  const old = machine('a', [1, A])
  const newer = machine('a', [1, A], [2, B], [3, B])
  const begun = (...said: readonly (Build | null)[]) => {
    const leader = leaderOf([newer], said)
    leader.log.append('AdvanceVersion', { machines: [{ machine: 'a', to: 1, schema: A }] })
    return leader
  }

  test('waits for the last voter, and is then the highest that all have', () => {
    const { advances, voters } = begun(build(newer), build(old))
    expect(advances.next()).toBeNull()
    voters.said = [build(newer), build(machine('a', [1, A], [2, B]))]
    expect(advances.next()).toEqual([{ machine: 'a', to: 2, schema: B }])
    voters.said = [build(newer), build(newer)]
    expect(advances.next()).toEqual([{ machine: 'a', to: 3, schema: B }])
    voters.said = [build(newer), null]
    expect(advances.next()).toBeNull()
  })

  test('is awaited from the voters that lack it, and from those of whom nobody knows', () => {
    const { advances, voters } = begun(build(newer), build(old), null)
    const [n2, n3] = [nodeId('n2'), nodeId('n3')]
    expect(advances.awaited()).toEqual({ machine: 'a', version: 3, nodes: [n2, n3], silent: [n3] })
    voters.said = [build(newer), build(newer)]
    // Builds that say nothing of the session layer have its first version.
    expect(advances.awaited()).toEqual({
      machine: 'holdfast',
      version: OWN_MACHINE.versions.length,
      nodes: [nodeId('n1'), n2],
      silent: [],
    })
    voters.said = voters.said.map((said) => said && { ...said, machines: [newer, OWN_MACHINE] })
    expect(advances.awaited()).toBeNull()
    // What a migration stands on is switched on before it.
    expect(advances.next()).toEqual([{ machine: 'holdfast', to: OWN_MACHINE.versions.length, schema: '' }])
  })

  test('of another schema on one voter is not switched on', () => {
    expect(begun(build(newer), build(machine('a', [1, A], [2, A], [3, A]))).advances.next()).toBeNull()
  })

  test('whose migration failed is not tried again by the same leader', () => {
    const failing = (): void => {
      throw new Error('not so')
    }
    const { log, advances } = leaderOf([newer], [build(newer)], failing)
    log.append('AdvanceVersion', { machines: [{ machine: 'a', to: 1, schema: A }] })
    for (const to of [3, 2]) {
      const machines = advances.next() ?? []
      expect(machines).toEqual([{ machine: 'a', to, schema: B }])
      log.append('AdvanceVersion', { machines })
      advances.applied(machines)
    }
    expect(advances.next()).toBeNull()
  })

  test('of a machine that is new to the cluster is switched on the same way', () => {
    const more = machine('more', [4, A])
    const { log, advances, voters } = leaderOf([old, more], [build(old)])
    log.append('AdvanceVersion', { machines: [{ machine: 'a', to: 1, schema: A }] })
    expect(advances.next()).toBeNull()
    voters.said = [build(old, more)]
    expect(advances.next()).toEqual([{ machine: 'more', to: 4, schema: A }])
  })
})

test('a new cluster begins with the highest version of each machine that all voters have', () => {
  const machines = [machine('a', [1, A], [2, B]), machine('b', [1, ''])]
  const fresh = new SessionStateMachine(bareMachine(counterHandlers, { machines }), codec)
  const b = { machine: 'b', to: 1, schema: '' }
  expect(firstVersions(fresh, byVoter([build(...machines)]))).toEqual([{ machine: 'a', to: 2, schema: B }, b])
  // One voter has only the first version of a, and b not at all: it halts at b, and says so.
  const behind = [build(...machines), build(machine('a', [1, A]))]
  expect(firstVersions(fresh, byVoter(behind))).toEqual([{ machine: 'a', to: 1, schema: A }, b])
})

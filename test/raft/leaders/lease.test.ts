import fc from 'fast-check'
import { expect, test } from 'vitest'
import { logIndex, nodeId } from '../../../src/base/brand.ts'
import type { RaftState } from '../../../src/raft/index.ts'
import { sample } from '../../effort.ts'
import { Cluster } from '../cluster.ts'

/** ε of the terms, thousandths. */
const DRIFT_PERMILLE = 100
const TERMS = { ms: 300, driftPermille: DRIFT_PERMILLE }
/** One slow, one fast and one true clock, as far apart as the terms allow. */
const SKEWED = [0.9, 1.1, 1]
/** And as they do not. */
const WRONG = [0.5, 1.6, 1]

/** Three nodes, of which n1 leads and has a lease from entry 4, as well as two that hear its connections being reset. */
function clusterWithLease(rates: readonly number[], trace?: (line: string) => void): Cluster {
  const cluster = new Cluster(['n1', 'n2', 'n3'], trace === undefined ? {} : { trace })
  for (const [at, node] of [...cluster.nodes.values()].entries()) node.rate = rates[at % rates.length] ?? 1
  cluster.start()
  cluster.step('n1', { kind: 'campaign' })
  cluster.stabilize()
  cluster.step('n1', { kind: 'setLease', lease: TERMS })
  cluster.stabilize()
  cluster.propose('n1')
  cluster.stabilize()
  return cluster
}

const leads = (state: RaftState): boolean => state.role.kind === 'leader'

/** One random event among those that leases are about, from a number. */
function act(cluster: Cluster, number: number): void {
  const kind = number % 100
  const choice = Math.floor(number / 100)
  const nodes = [...cluster.nodes.values()]
  const node = nodes[choice % nodes.length] ?? cluster.node('n1')
  const leaders = nodes.filter(({ up, state }) => up && leads(state))
  const leader = leaders[choice % Math.max(1, leaders.length)] ?? node
  if (kind < 35) {
    const packet = cluster.packets[choice % Math.max(1, Math.min(12, cluster.packets.length))]
    if (packet !== undefined) cluster.deliver(packet)
    return
  }
  if (kind < 45) return cluster.stabilize((packet) => packet.from === node.id || packet.to === node.id)
  if (kind < 63) return void (node.up && cluster.read(kind < 52 ? node.id : leader.up ? leader.id : node.id))
  if (kind < 70) return void (leader.up && cluster.propose(leader.id))
  if (kind < 84) return passTime(cluster, 1 + (choice % 120))
  if (kind < 90) {
    // The others no longer reach who leads, which goes on being read from.
    if (choice % 2 === 0 && leader !== node) cluster.isolate(leader.id)
    depose(cluster, node.id)
    return choice % 3 === 0 ? undefined : cluster.stabilize()
  }
  if (kind < 91) return cluster.heal()
  if (kind < 95) return void (leader.up && cluster.step(leader.id, { kind: 'transfer', to: null }))
  if (kind < 97) {
    const lease = choice % 3 === 0 ? null : { ...TERMS, ms: choice % 3 === 1 ? 300 : 200 }
    return void (leader.up && cluster.step(leader.id, { kind: 'setLease', lease }))
  }
  if (node.up) cluster.crash(node.id)
  else cluster.restart(node.id)
}

function passTime(cluster: Cluster, ms: number): void {
  cluster.now += ms
  for (const node of cluster.nodes.values())
    if (node.up && node.wakeAt <= cluster.now) cluster.step(node.id, { kind: 'tick' })
}

/** Connections of whoever leads are reset at the others, and that node asks for their votes. */
function depose(cluster: Cluster, id: string): void {
  for (const leader of cluster.nodes.values()) {
    if (leader.id === id || !leads(leader.state)) continue
    for (const node of cluster.nodes.values())
      if (node.up && node !== leader) cluster.step(node.id, { kind: 'unreachable', peer: leader.id })
  }
  if (cluster.node(id).up) cluster.step(id, { kind: 'campaign' })
}

const events = fc.array(fc.nat(1_000_000_000), { minLength: 100, maxLength: 400, size: 'max' })

test('reads by leases see all that was committed before they arrived, on clocks as far apart as the terms allow', () => {
  fc.assert(
    fc.property(events, (numbers) => {
      const cluster = clusterWithLease(SKEWED)
      for (const number of numbers) act(cluster, number)
    }),
    { numRuns: sample(30), interruptAfterTimeLimit: sample(40_000) },
  )
})

test('those random events reach what they check: leases kept and inherited, limbo, releases, deferrals', () => {
  const words = ['noop', 'in limbo', 'releases', 'transfer ended', 'leaderChanged', 'is leader in term 4']
  const seen = new Set<string>()
  let byLease = 0
  for (const numbers of fc.sample(events, { seed: 3, numRuns: 25 })) {
    const cluster = clusterWithLease(SKEWED, (line) => {
      for (const word of words) if (line.includes(word)) seen.add(word)
    })
    for (const number of numbers) {
      const before = cluster.packets.length
      const ready = cluster.safety.readsAnswered
      act(cluster, number)
      if (number % 100 >= 52 && number % 100 < 63 && cluster.safety.readsAnswered > ready) byLease += 1
      expect(cluster.packets.length).toBeLessThan(before + 1000)
    }
  }
  expect([...seen].sort()).toEqual([...words].sort())
  expect(byLease).toBeGreaterThan(100)
})

test('a clock that is wrong by more than the terms say makes a read stale, and the check sees it', () => {
  let stale = 0
  for (const numbers of fc.sample(events, { seed: 5, numRuns: 60 })) {
    try {
      const cluster = clusterWithLease(WRONG)
      for (const number of numbers) act(cluster, number)
    } catch (error) {
      expect(String(error)).toContain('a read sees all that was committed before it arrived')
      stale += 1
    }
  }
  expect(stale).toBeGreaterThan(0)
})

test('without leases nothing is deferred and no read is answered without a round', () => {
  const cluster = clusterWithLease([1])
  cluster.step('n1', { kind: 'setLease', lease: null })
  cluster.stabilize()
  const { role } = cluster.state('n1')
  if (role.kind !== 'leader') throw new Error('n1 leads')
  cluster.read('n1')
  expect(cluster.state('n1').reads.round).not.toBeNull()
  cluster.stabilize()
  depose(cluster, 'n2')
  cluster.stabilize()
  expect(leads(cluster.state('n2'))).toBe(true)
  expect(cluster.state('n2').commitIndex).toBe(cluster.state('n2').lastIndex)
})

test('terms of before are those that a change of them is judged by, until it is committed', () => {
  const cluster = clusterWithLease([1])
  cluster.step('n1', { kind: 'setLease', lease: { ms: 1000, driftPermille: 100 } })
  // n2 alone has the entry, and is elected: it defers as long as the longer terms say.
  for (const packet of cluster.packets.filter(({ to }) => to === nodeId('n2'))) cluster.deliver(packet)
  cluster.packets.length = 0
  depose(cluster, 'n2')
  cluster.stabilize()
  const { role } = cluster.state('n2')
  expect(role).toMatchObject({ kind: 'leader', lease: { deferUntil: cluster.now + 1100 } })
  // And inherits by the shorter ones.
  expect(role).toMatchObject({ lease: { inheritedUntil: cluster.now + 270 } })
})

test('an inherited lease is counted from the candidacy, which every later election comes after, and not from the own one', () => {
  const cluster = clusterWithLease([1])
  const startedAt = cluster.now
  depose(cluster, 'n2')
  cluster.stabilize(({ message }) => message.kind !== 'requestVoteResponse')
  cluster.now += 50
  cluster.stabilize()
  const lease = { inheritedUntil: startedAt + 270, deferUntil: cluster.now + 330 }
  expect(cluster.state('n2').role).toMatchObject({ kind: 'leader', lease })
})

test('a late request to lead releases no lease that began since', () => {
  const cluster = clusterWithLease([1])
  cluster.step('n1', { kind: 'transfer', to: nodeId('n2') })
  const late = cluster.packets.find(({ message }) => message.kind === 'timeoutNow')
  if (late === undefined) throw new Error('n2 is asked')
  cluster.packets.length = 0
  cluster.now += 301
  cluster.step('n1', { kind: 'tick' })
  cluster.propose('n1')
  cluster.stabilize()
  cluster.read('n1')
  expect(cluster.safety.readsAnswered).toBe(1)
  cluster.deliver(late, { copy: true })
  cluster.stabilize()
  expect(cluster.state('n2').role).toMatchObject({ kind: 'leader', lease: { deferUntil: cluster.now + 330 } })
})

test('a restarted cluster defers, and inherits nothing: it knows of no committed terms', () => {
  const cluster = clusterWithLease([1])
  for (const id of ['n1', 'n2', 'n3']) cluster.crash(id)
  for (const id of ['n1', 'n2', 'n3']) cluster.restart(id)
  cluster.step('n3', { kind: 'campaign' })
  cluster.stabilize()
  const { role } = cluster.state('n3')
  expect(role).toMatchObject({ kind: 'leader', lease: { deferUntil: cluster.now + 330, inheritedUntil: null } })
  expect(cluster.state('n3').commitIndex).toBe(logIndex(0))
  cluster.advance(331)
  expect(cluster.state('n3').commitIndex).toBe(cluster.state('n3').lastIndex)
})

import { describe, expect, test } from 'vitest'
import { Cluster } from '../cluster.ts'

const THREE = ['n1', 'n2', 'n3']
/** The election timeout's maximum, the wait of a reluctant node with it, and how long it then helps (timer.ts). */
const TIMEOUT_MS = 600
const RELUCTANT_MS = 3 * TIMEOUT_MS
const HELP_MS = 10 * TIMEOUT_MS
/** Far more than a leader sends before it knows where a follower's log ends. */
const BEHIND = 5000

/** n1 leads with n2; n3 was down and lacks `BEHIND` entries, and is back. */
function oneBehind(): Cluster {
  const cluster = new Cluster(THREE)
  cluster.start()
  cluster.step('n1', { kind: 'campaign' })
  cluster.stabilize()
  cluster.crash('n3')
  cluster.propose('n1', BEHIND)
  cluster.advance(100)
  expect(cluster.state('n1').commitIndex).toBeGreaterThan(BEHIND)
  return cluster
}

function halt(cluster: Cluster, ...ids: readonly string[]): void {
  for (const id of ids) cluster.step(id, { kind: 'halted' })
}

/** Lets time pass until `isSo`, in steps, and says how long that took. */
function until(cluster: Cluster, isSo: () => boolean, limitMs: number): number {
  const began = cluster.now
  while (!isSo()) {
    expect(cluster.now - began, 'ms').toBeLessThan(limitMs)
    cluster.advance(20)
  }
  return cluster.now - began
}

const leads = (cluster: Cluster, id: string): boolean => cluster.leader()?.id === id

describe('halted leaders', () => {
  test('bring the one voter that serves to the end of the log, however far behind, within two elections', () => {
    const cluster = oneBehind()
    halt(cluster, 'n1', 'n2')
    const { currentTerm } = cluster.state('n1')
    cluster.restart('n3')
    until(cluster, () => leads(cluster, 'n3'), 2 * (RELUCTANT_MS + TIMEOUT_MS))
    // One of a halted node at most, and its own.
    expect(cluster.state('n3').currentTerm - currentTerm).toBeLessThanOrEqual(2)
    cluster.propose('n3')
    cluster.advance(100)
    expect(cluster.state('n3').commitIndex).toBe(cluster.state('n3').lastIndex)
  })

  test('that serve again campaign as anybody does', () => {
    const cluster = oneBehind()
    cluster.restart('n3')
    cluster.advance(1000)
    halt(cluster, 'n2')
    cluster.step('n2', { kind: 'resumed' })
    expect(cluster.state('n2').halted).toBe(false)
    cluster.crash('n1')
    cluster.crash('n3')
    cluster.restart('n3')
    halt(cluster, 'n3')
    until(cluster, () => leads(cluster, 'n2'), 2 * TIMEOUT_MS)
  })

  test('hand over at once in office: that another voter has halted as well, nobody knew', () => {
    const cluster = oneBehind()
    halt(cluster, 'n1')
    expect(cluster.leader()).toBeNull()
  })

  test('elected so, help no voter that nobody hears from', () => {
    const cluster = oneBehind()
    halt(cluster, 'n1', 'n2')
    until(cluster, () => cluster.leader() !== null, RELUCTANT_MS + TIMEOUT_MS)
    until(cluster, () => cluster.leader() === null, TIMEOUT_MS)
  })

  test('leave after a while although a voter never reaches the end, for one that serves waits with the whole log', () => {
    const cluster = oneBehind()
    halt(cluster, 'n1')
    cluster.crash('n2')
    cluster.restart('n3')
    // Its vote gets to the disk; of what a leader then sends it, nothing.
    cluster.node('n3').diskHeld = true
    const n1Leads = (): boolean => {
      if (!leads(cluster, 'n1')) cluster.completeWrites('n3')
      return leads(cluster, 'n1')
    }
    until(cluster, n1Leads, RELUCTANT_MS + TIMEOUT_MS)
    cluster.restart('n2')
    expect(until(cluster, () => leads(cluster, 'n2'), HELP_MS + 2 * TIMEOUT_MS)).toBeGreaterThan(HELP_MS / 2)
  })
})

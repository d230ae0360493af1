import { describe, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { openSession, submit } from './commands.ts'
import { TestClock } from './test-clock.ts'
import { TestNode } from './test-node.ts'
import { heard } from './heard.ts'

describe('a node tells its listeners', () => {
  test('that it begins an election and leads, with the term, and each of them once', () => {
    const cluster = Cluster.started()
    const { leader, followers } = cluster
    const [term] = [leader.driver.raftState.currentTerm]
    const events = new Map(followers.map((node) => [node, heard(node)]))
    cluster.network.isolate(leader.id)
    const next = cluster.elect([leader])
    cluster.clock.advance(1000)
    const other = followers.find((node) => node !== next)
    expect(events.get(next)?.filter((event) => event.kind === 'electionBegun')).toEqual([
      { kind: 'electionBegun', term: term + 1 },
    ])
    const roles = events.get(next)?.filter((event) => event.kind === 'roleChanged') ?? []
    expect(roles.at(-1)).toEqual({
      kind: 'roleChanged',
      role: 'leader',
      leader: next.id,
      term: term + 1,
      leading: true,
    })
    expect(new Set(roles.map((event) => JSON.stringify(event))).size).toBe(roles.length)
    const followed = other === undefined ? [] : (events.get(other) ?? [])
    expect(followed.filter((event) => event.kind === 'electionBegun')).toEqual([])
    expect(followed.at(-1)).toMatchObject({ kind: 'roleChanged', role: 'follower', leader: next.id, term: term + 1 })
  })

  test('who leads, all of them, before any of them writes that down', () => {
    const cluster = Cluster.started()
    const { leader, followers } = cluster
    const told: string[] = []
    for (const { driver } of followers) {
      for (const name of ['log', 'gateway']) {
        driver.listen({
          applied: () => undefined,
          batchApplied: () => undefined,
          stopped: () => undefined,
          roleChanged: () => void told.push(`${driver.id} ${name} told`),
          noted: ({ kind }) => void (kind === 'roleChanged' && told.push(`${driver.id} ${name} notes`)),
        })
      }
    }
    cluster.network.isolate(leader.id)
    const { id } = cluster.elect([leader])
    const own = told.filter((news) => news.startsWith(`${id} `)).map((news) => news.slice(id.length + 1))
    expect(own.slice(-4)).toEqual(['log told', 'gateway told', 'log notes', 'gateway notes'])
  })

  test('which snapshots it has written, with their rows and how long that took', () => {
    const node = new TestNode({ clock: new TestClock(), limits: { snapshotBytes: 1 } }).start()
    const events = heard(node)
    node.holdSnapshots()
    openSession(node)
    node.options.clock.advance(40)
    node.releaseSnapshots()
    node.options.clock.advance(10)
    const written = events.filter((event) => event.kind === 'snapshotWritten')
    expect(written.at(-1)?.index).toBe(node.driver.status().snapshotIndex)
    expect(written.reduce((sum, event) => sum + event.rows, 0)).toBeGreaterThan(0)
    expect(Math.max(...written.map((event) => event.durationMs))).toBeGreaterThanOrEqual(40)
  })

  test('once that its disk is slow, and again after it was not', () => {
    const node = new TestNode({ clock: new TestClock() }).start()
    const session = openSession(node)
    const events = heard(node)
    const slow = (): number[] => events.flatMap((event) => (event.kind === 'diskSlow' ? [event.writeAgeMs] : []))
    for (const times of [1, 2]) {
      node.holdDisk()
      submit(node, session, times)
      node.options.clock.advance(299)
      expect(slow()).toHaveLength(times - 1)
      node.options.clock.advance(500)
      expect(slow()).toHaveLength(times)
      expect(slow().at(-1)).toBeGreaterThan(300)
      node.releaseDisk()
      node.options.clock.advance(100)
    }
    expect(slow()).toHaveLength(2)
  })

  test('which stage holds commands up: the write, the others, or the machine, and each once', () => {
    const cluster = Cluster.started()
    const { clock, leader, followers } = cluster
    const session = openSession(leader)
    const events = heard(leader)
    const slow = (): unknown[] =>
      events.flatMap((event) => (event.kind === 'diskSlow' || event.kind === 'progressSlow' ? [event.stage] : []))
    for (const node of followers) node.holdDisk()
    submit(leader, session, 1)
    clock.advance(299)
    expect(slow()).toEqual([])
    clock.advance(100)
    expect(slow()).toEqual(['replicate'])
    for (const node of followers) node.releaseDisk()
    clock.advance(100)
    leader.holdDisk()
    submit(leader, session, 2)
    clock.advance(400)
    leader.releaseDisk()
    clock.advance(100)
    expect(slow()).toEqual(['replicate', 'write'])
  })

  test('that committed entries are not applied, as while too many snapshots wait to be written', () => {
    const node = new TestNode({ clock: new TestClock(), limits: { snapshotBytes: 1 } }).start()
    const session = openSession(node)
    const events = heard(node)
    node.holdSnapshots()
    for (let request = 1; request <= 6; request += 1) {
      submit(node, session, request)
      node.options.clock.advance(10)
    }
    node.options.clock.advance(700)
    const applied = node.driver.status().appliedIndex
    expect(events.filter((event) => event.kind === 'progressSlow')).toEqual([
      { kind: 'progressSlow', stage: 'apply', index: applied, waitedMs: expect.any(Number) },
    ])
    node.releaseSnapshots()
  })
})

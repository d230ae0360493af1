import { describe, expect, test } from 'vitest'
import type { Value } from '../../../src/codec/value/value.ts'
import { bareMachine } from '../bare-machine.ts'
import { Log, numbers, swapped } from '../log.ts'

const notifier = () =>
  bareMachine({
    notify(context, input) {
      const { to, bodies } = input as { to: string; bodies: Value[] }
      for (const body of bodies) context.notify(to, 'news', body)
      return null
    },
  })

const bodies = (log: Log, session: number) =>
  log.machine
    .outbox(session, 0, 1000)
    .map(({ type, payload }) => [type, (payload as { body: Value }).body, (payload as { seq: number }).seq])

describe('notify', () => {
  test('gives every live session of the principal one copy, in session order, with one number', () => {
    const log = new Log(notifier())
    const sender = log.open('s')
    const b = log.open('b1', { principal: 'user:b' })
    const c = log.open('b2', { principal: 'user:b' })
    const applied = log.requestApplied(sender, 1, 'notify', { input: { to: 'user:b', bodies: ['x', 'y'] } })
    expect(applied.deliver).toEqual([b, c])
    for (const session of [b, c]) {
      expect(bodies(log, session)).toEqual([
        ['notification', 'x', 1],
        ['notification', 'y', 2],
      ])
    }
  })

  test('waits in the mailbox for the principal’s next session, oldest first', () => {
    const log = new Log(notifier())
    const sender = log.open('s')
    log.request(sender, 1, 'notify', { input: { to: 'user:b', bodies: ['x', 'y'] } })
    const b = log.open('b')
    expect(bodies(log, b)).toEqual([
      ['notification', 'x', 1],
      ['notification', 'y', 2],
    ])
    log.request(sender, 2, 'notify', { input: { to: 'user:b', bodies: ['z'] } })
    expect(bodies(log, b)).toHaveLength(3)
    log.append('CloseSession', { ...numbers(b), epoch: 0, secretHash: new Uint8Array(0) })
    expect(bodies(log, log.open('b2', { principal: 'user:b' }))).toEqual([])
  })

  test('a full mailbox drops the oldest and counts', () => {
    const log = new Log(notifier(), { mailboxMax: 2 })
    const sender = log.open('s')
    log.request(sender, 1, 'notify', { input: { to: 'user:b', bodies: ['x', 'y', 'z'] } })
    const row = [...swapped(log.machine)].find(([key]) => key.startsWith('session/principal/'))?.[1]
    expect(row).toMatchObject({ principal: 'user:b', seq: 3, dropped: 1, waiting: 2 })
    expect(bodies(log, log.open('b'))).toEqual([
      ['notification', 'y', 2],
      ['notification', 'z', 3],
    ])
  })

  test('a slow session loses hints, not the sender its command', () => {
    const log = new Log(notifier(), { outboxCountMax: 2 })
    const sender = log.open('s')
    const b = log.open('b')
    const applied = log.requestApplied(sender, 1, 'notify', { input: { to: 'user:b', bodies: ['x', 'y', 'z'] } })
    expect(applied.reply).toMatchObject({ outcome: { kind: 'value' } })
    expect(bodies(log, b)).toEqual([
      ['notification', 'y', 2],
      ['notification', 'z', 3],
    ])
  })

  test('mailboxes of absent principals are kept 30 days', () => {
    const log = new Log(notifier())
    const sender = log.open('s')
    const rows = log.machine.counts.rows
    log.request(sender, 1, 'notify', { input: { to: 'user:b', bodies: ['x', 'y'] } })
    expect(log.machine.counts.rows).toBe(rows + 4)
    log.advance(30 * 86_400_000 + 1)
    log.empty('Noop')
    expect(log.machine.counts.rows).toBe(rows + 1)
    expect(bodies(log, log.open('b'))).toEqual([])
  })

  test('and a later notification keeps them longer', () => {
    const log = new Log(notifier())
    const sender = log.open('s')
    log.request(sender, 1, 'notify', { input: { to: 'user:b', bodies: ['x'] } })
    log.advance(20 * 86_400_000)
    log.request(sender, 2, 'notify', { input: { to: 'user:b', bodies: ['y'] } })
    log.advance(20 * 86_400_000)
    log.empty('Noop')
    expect(bodies(log, log.open('b'))).toEqual([
      ['notification', 'x', 1],
      ['notification', 'y', 2],
    ])
  })

  test('numbers go on while a session of the principal lives, however long nothing is told to it', () => {
    const log = new Log(notifier())
    const sender = log.open('s')
    const b = log.open('b')
    log.request(sender, 1, 'notify', { input: { to: 'user:b', bodies: ['x'] } })
    for (let month = 0; month < 2; month += 1) {
      log.advance(30 * 86_400_000 + 1)
      log.empty('Noop')
    }
    log.request(sender, 2, 'notify', { input: { to: 'user:b', bodies: ['y'] } })
    expect(bodies(log, b)).toEqual([
      ['notification', 'x', 1],
      ['notification', 'y', 2],
    ])
    log.append('CloseSession', { ...numbers(b), epoch: 0, secretHash: new Uint8Array(0) })
    const rows = log.machine.counts.rows
    log.advance(30 * 86_400_000 + 1)
    log.empty('Noop')
    expect(log.machine.counts.rows).toBeLessThan(rows)
  })
})

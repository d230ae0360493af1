import { EventEmitter } from 'node:events'
import { describe, expect, test } from 'vitest'
import { type Admission, DescriptorBudget } from '../../src/server/descriptors.ts'

/** A process with a limit, with files open besides its connections. */
class Process {
  files: number
  readonly limit: number
  private readonly connected: EventEmitter[] = []
  readonly budget = new DescriptorBudget({ limit: () => this.limit, open: () => this.files + this.connected.length })

  constructor(limit: number, files: number) {
    this.limit = limit
    this.files = files
  }

  /** The system has accepted it before anybody asks; one that is not let in is closed. */
  accept(): Admission {
    const connection = new EventEmitter()
    this.connected.push(connection)
    const admission = this.budget.admit(connection)
    if (admission === 'none') this.close(this.connected.length - 1)
    return admission
  }

  acceptAll(connections: number): { [admission in Admission]: number } {
    const counts = { all: 0, special: 0, none: 0 }
    for (let number = 0; number < connections; number += 1) counts[this.accept()] += 1
    return counts
  }

  close(at: number): void {
    this.connected.splice(at, 1)[0]?.emit('close')
  }

  closeAll(): void {
    while (this.connected.length > 0) this.close(0)
  }
}

describe('connections and descriptors', () => {
  test.each([
    [128, 30],
    [256, 30],
    [1024, 60],
    [65_536, 200],
  ])('of a limit of %i, with %i open, something is left for files and for peers', (limit, open) => {
    const { all, special } = new Process(limit, open).acceptAll(limit * 2)
    expect(all).toBeGreaterThan(limit / 4)
    expect(special).toBeGreaterThanOrEqual(4)
    expect(limit - open - all - special).toBeGreaterThanOrEqual(24)
  })

  test('are let in again once descriptors came back', () => {
    const process = new Process(128, 127)
    expect(process.accept()).toBe('none')
    process.files = 40
    expect(process.accept()).toBe('all')
  })

  test('clients are served again with the first connection after a crowd has gone', () => {
    const process = new Process(1024, 40)
    process.acceptAll(2_000)
    expect(process.accept()).toBe('none')
    process.closeAll()
    expect(process.accept()).toBe('all')
  })

  test('files that the node opens while clients are at their limit do not shut operators out', () => {
    const process = new Process(256, 60)
    let admission = process.accept()
    while (admission === 'all') admission = process.accept()
    process.files += 18
    expect(process.accept()).toBe('special')
  })

  test('files that have used up their reserve still have some ahead of them', () => {
    const process = new Process(256, 60)
    process.acceptAll(300)
    process.closeAll()
    process.files = 120
    const { all, special } = process.acceptAll(300)
    expect(256 - 120 - all - special).toBeGreaterThanOrEqual(12)
  })

  test('nobody is let in when there is none left to count them with', () => {
    const budget = new DescriptorBudget({ limit: () => 128, open: () => null })
    expect(budget.admit(new EventEmitter())).toBe('none')
  })

  test('what else the process has opened counts, though it is no connection', () => {
    expect(new Process(256, 230).acceptAll(10)).toEqual({ all: 0, special: 0, none: 10 })
  })

  test('are all let in where the system does not tell', () => {
    const budget = new DescriptorBudget({ limit: () => null, open: () => null })
    expect(budget.admit(new EventEmitter())).toBe('all')
  })
})

import { expect } from 'vitest'
import type { ReadInLimbo, ReadRefusal, ReadSink } from '../../../src/node/api.ts'
import type { TestNode } from '../test-node.ts'

export const WAIT_MS = 5000

/** A read that remembers what it was told, and at which applied index it was served. */
export class Read implements ReadSink {
  begins = 0
  servedAt: number | null = null
  failure: ReadRefusal | null = null
  private readonly node: TestNode

  constructor(node: TestNode, waitMs = WAIT_MS) {
    this.node = node
    node.driver.read(this, waitMs)
  }

  begun(): void {
    this.begins += 1
  }

  ready(): void {
    expect([this.servedAt, this.failure]).toEqual([null, null])
    this.servedAt = this.node.machine.appliedIndex
  }

  /** It does not say what it reads, so that it waits. */
  readyInLimbo(): ReadInLimbo {
    return { answered: 0, waiting: 1 }
  }

  failed(code: ReadRefusal): void {
    expect([this.servedAt, this.failure]).toEqual([null, null])
    this.failure = code
  }
}

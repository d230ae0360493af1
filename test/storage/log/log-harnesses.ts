import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryDisk } from '../../../src/storage/disk/memory-disk.ts'
import { NodeDisk } from '../../../src/storage/disk/node-disk.ts'
import { ManualClock } from './log-fixture.ts'
import type { LogHarness } from './log-fixture.ts'

export interface MemoryHarness extends LogHarness {
  readonly disk: MemoryDisk
  readonly clock: ManualClock
}

/** Every operation completes before it returns. */
export function synchronousHarness(disk = new MemoryDisk()): MemoryHarness {
  return {
    disk,
    clock: new ManualClock(),
    until: async (condition, what) => {
      if (!condition()) throw new Error(`it never happens that ${what}`)
    },
    dispose: async () => undefined,
  }
}

/** Operations wait in a line until the test goes on: what queues meanwhile is seen to share a frame. */
export function deferredHarness(): MemoryHarness {
  const line: (() => void)[] = []
  return {
    disk: new MemoryDisk((run) => line.push(run)),
    clock: new ManualClock(),
    until: async (condition, what) => {
      while (!condition()) {
        const next = line.shift()
        if (next === undefined) throw new Error(`it never happens that ${what}`)
        next()
      }
    },
    dispose: async () => undefined,
  }
}

/** Real files in a directory of their own. */
export function nodeHarness(): LogHarness & { readonly root: string } {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-log-'))
  const clock = {
    monotonicMs: () => performance.now(),
    setTimer: (delayMs: number, callback: () => void) => {
      const timer = setTimeout(callback, delayMs)
      return { cancel: () => clearTimeout(timer) }
    },
  }
  return {
    root,
    disk: new NodeDisk(root),
    clock,
    until: async (condition) => {
      while (!condition()) await new Promise((resolve) => setImmediate(resolve))
    },
    dispose: async () => rmSync(root, { recursive: true, force: true }),
  }
}

import { expect, test } from 'vitest'
import { logIndex, term } from '../../../src/base/brand.ts'
import { encodePayload } from '../../../src/codec/entry/payload-codec.ts'
import type { Entry } from '../../../src/codec/entry/entry.ts'
import type { MachineContext, UserStateMachine } from '../../../src/session/user-machine.ts'
import { bareMachine } from '../bare-machine.ts'
import { Log, RECORD_BYTES, START } from '../log.ts'

/** More than one block may hold. */
const ROWS = 6_000
const BLOCK_ITEMS = 4_096
const key = (at: number): string => `row/${String(at).padStart(6, '0')}`
const dueAt = (at: number): number => START + 60_000 + at

/** A row and a timer each; the second version writes all of them again, with one more timer. */
function machine(): UserStateMachine {
  const write = (context: MachineContext, name: string, at: number): void => {
    context.state.set(key(at), [name])
    context.schedule('test', name, dueAt(at), at)
  }
  return bareMachine(
    {
      fill: (context) => {
        for (let at = 0; at < ROWS; at += 1) write(context, key(at), at)
        return null
      },
    },
    {
      *migrate(context) {
        for (let at = 0; at < ROWS; at += 1) {
          write(context, `${key(at)}/again`, at)
          yield
        }
      },
    },
  )
}

/** Where arrays and hash tables lie that hold more than one block: whatever adds to them may have to copy all of it. */
function longBlocks(root: object): string[] {
  const found = new Set<string>()
  const seen = new Set<object>()
  const open: [string, unknown][] = [['', root]]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [path, value] = next
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) continue
    seen.add(value)
    const table = value instanceof Map || value instanceof Set
    const inner: readonly unknown[] | null = Array.isArray(value) ? value : table ? [...value.values()] : null
    if (inner === null) for (const [name, of] of Object.entries(value)) open.push([`${path}.${name}`, of])
    else {
      if (inner.length > BLOCK_ITEMS) found.add(path)
      for (const of of inner) open.push([`${path}[]`, of])
    }
  }
  return [...found].sort()
}

test('nothing that grows with the rows of a migration is one block, which would be copied at once when it is full', () => {
  const log = new Log(machine())
  log.append('AdvanceVersion', { machines: [{ machine: 'test', to: 1, schema: '' }] })
  log.request(log.open('alice'), 1, 'fill')
  expect(longBlocks(log.machine)).toEqual([])
  const payload = encodePayload('AdvanceVersion', { machines: [{ machine: 'test', to: 2, schema: '' }] })
  const { lease, now, entries } = log
  const index = logIndex(entries.length + 1)
  const entry: Entry = { kind: 'AdvanceVersion', index, term: term(1), lease, now, payload }
  const begun = log.machine.begin(entry, RECORD_BYTES)
  if (!('step' in begun)) throw new Error('applied at once')
  let looks = 0
  for (let steps = 1, done = false; !done; steps += 1) {
    done = begun.step() !== null
    // In the middle of it, before its end, and at several places of its end.
    if (!done && steps % (steps > ROWS ? 100 : ROWS / 2) !== 0) continue
    looks += 1
    expect(longBlocks(log.machine), `after ${steps} steps`).toEqual([])
  }
  expect(looks).toBeGreaterThan(4)
  const rows = log.machine.swapDirty()
  expect(longBlocks(rows)).toEqual([])
})

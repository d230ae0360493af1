import { expect, test } from 'vitest'
import { type WatchLine, watchNode } from '../../../src/client/operator/watch.ts'
import { counter, payments } from '../../../src/machines/index.ts'
import { operatorNode } from './operator-node.ts'

const { session, holdfast, node } = operatorNode([counter, payments])

const lines = (out: string) =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

test('what was applied before is told first, then what is applied, without a gap and once each', async () => {
  const ada = await session('user:ada')
  ada.on('*', () => undefined)
  await ada.execute('counter', 'increment', { name: 'a', by: 1 })
  const before = node().status().appliedIndex
  const told: WatchLine[] = []
  let caughtUp = (): void => undefined
  const ready = new Promise<void>((resolve) => (caughtUp = resolve))
  const done = watchNode(node().address, {
    machines: [],
    sinceIndex: 1,
    limit: before + 40,
    onOpen: () => undefined,
    onLine: (line) => {
      told.push(line)
      if (line.index >= before) caughtUp()
    },
  })
  await ready
  let over = false
  void done.then(() => (over = true))
  while (!over) await ada.execute('counter', 'increment', { name: 'a', by: 0 })
  expect(told.map(({ index }) => index)).toEqual(Array.from({ length: before + 40 }, (_, at) => at + 1))
  expect(told.find(({ kind }) => kind === 'OpenSession')).toMatchObject({ session: ada.id, command: '', outcome: '' })
  // Those that were applied while somebody watched have their outcome; of earlier ones the log does not say.
  const command = { session: ada.id, machine: 'counter', command: 'increment', outcome: 'ok', code: '' }
  expect(told.findLast(({ kind }) => kind === 'ClientRequest')).toMatchObject(command)
})

test('a line of JSON has null for what there is none of, and no payload', async () => {
  const { code, out, err } = await holdfast('watch', '--since', '1', '--limit', '2', '-o', 'jsonl')
  expect([code, err]).toEqual([0, expect.stringContaining('watching n1 at ')])
  expect(lines(out)).toMatchObject([
    { index: 1, kind: 'Configuration', session: null, command: null, outcome: null, ms: null },
    { index: 2, kind: 'Limits' },
  ])
})

test('machines leave their commands alone, and a table has a line for each', async () => {
  const { out } = await holdfast('watch', 'counter', '--since', '1', '--limit', '2')
  expect(out).toMatch(
    /^entry +time +kind +session +command +number +outcome +ms\n(\d+ +\S+Z +ClientRequest +0\/1\/\d+ +counter\.increment .*\n){2}$/,
  )
})

test('a node that is not there is said to be so', async () => {
  const { run } = await import('../../../src/cli/run.ts')
  expect(await run(['node', 'holdfast', 'watch', '--endpoints', '127.0.0.1:1'])).toBe(3)
})

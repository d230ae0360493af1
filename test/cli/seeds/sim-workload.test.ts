import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { executablePath } from '../../../src/cli/package-root.ts'
import { compileOnce } from '../../cluster/processes.ts'
import { runNode, userProject } from '../../host/user-project.ts'
import { read } from '../../tidy/tree.ts'

beforeAll(compileOnce, 120_000)

const MACHINE = read('examples/inventory/inventory.ts')
const WORKLOAD = read('examples/inventory/workload.ts')
/** Who releases a reservation gives back nothing: the pieces are gone. */
const BROKEN = MACHINE.replace("move(ctx, row, ['held', 'free'])", 'ctx.state.items.get(row.item)')

async function sim(directory: string, ...words: string[]) {
  const { code, out, err } = await runNode(directory, [executablePath(), 'sim', ...words])
  return { code, err, totals: out.startsWith('{') ? JSON.parse(out) : null }
}

describe('holdfast sim with a workload of the user’s', { timeout: 120_000 }, () => {
  test('finds a bug that is planted in the machine of the example, and its seed shows it again', async () => {
    expect(BROKEN).not.toBe(MACHINE)
    const directory = userProject({
      'inventory.ts': BROKEN,
      'right/inventory.ts': MACHINE,
      'workload.ts': WORKLOAD,
    })
    const found = await sim(directory, '--workload', './workload.ts', '--seeds', '4', '--jobs', '2', '--json')
    expect(found.code, found.err).toBe(1)
    const { seed } = found.totals.failedSeeds[0]
    expect(found.err).toContain('what is held is somebody’s')
    const [, again = ''] = /again: holdfast sim (.*) --trace/.exec(found.err) ?? []
    const shown = await sim(directory, ...again.split(' '), '--history', 'history.edn', '--json')
    expect(shown.code).toBe(1)
    expect(shown.totals).toMatchObject({ seeds: 1, failedSeeds: [{ workload: './workload.ts', seed }] })
    const hashes = [found.err, shown.err].map((text) => new RegExp(`seed=${seed} .*hash=(\\w+)`).exec(text)?.[1])
    expect(hashes[0]).toBe(hashes[1])
    expect(existsSync(join(directory, 'history.edn'))).toBe(true)
    // The nodes run what is right, and the clients are the same.
    const right = await sim(directory, ...again.split(' '), '--machines', './right/inventory.ts', '--json')
    expect(right.code, right.err).toBe(0)
    expect(right.totals).toMatchObject({ seeds: 1, failures: 0 })
  })

  test('tells with which machines a seed is to run again', async () => {
    const files = { 'inventory.ts': MACHINE, 'wrong/inventory.ts': BROKEN, 'workload.ts': WORKLOAD }
    const words = ['--workload', './workload.ts', '--machines', './wrong/inventory.ts', '--seeds', '4', '--json']
    const { err } = await sim(userProject(files), ...words)
    expect(err).toMatch(/again: holdfast sim --workload \.\/workload\.ts --machines \.\/wrong\/inventory\.ts --seeds 1/)
  })

  test('counts a seed as failed whose module cannot be loaded in a thread', async () => {
    const thrown = `import { isMainThread } from 'node:worker_threads'\nif (!isMainThread) throw new Error('not in a thread')\n`
    const directory = userProject({ 'inventory.ts': MACHINE, 'workload.ts': thrown + WORKLOAD })
    const { code, err, totals } = await sim(directory, '--workload', 'workload.ts', '--seeds', '2', '--json')
    expect(code).toBe(1)
    expect(err).toContain('not in a thread')
    expect(totals).toMatchObject({ seeds: 2, failures: 2, failedSeeds: [{ seed: 1 }, { seed: 2 }] })
  })

  test('does not count a run in which too little happened', async () => {
    const lazy = WORKLOAD.replace('minimum: { operations: 3', 'minimum: { operations: 3000')
    const directory = userProject({ 'inventory.ts': MACHINE, 'workload.ts': lazy })
    const { code, totals } = await sim(directory, '--workload', 'workload.ts', '--seeds', '2', '--json')
    expect(code).toBe(1)
    expect(totals.failures).toBe(0)
    expect(totals.lacking[0]).toMatch(/^operations \d+, and 6000 at least are needed$/)
  })

  test('runs one seed in a hundred in another process, and finds one that does otherwise there', async () => {
    const files = { 'inventory.ts': MACHINE, 'workload.ts': WORKLOAD }
    const words = ['--workload', 'workload.ts', '--seed', '100', '--seeds', '2', '--json']
    const right = await sim(userProject(files), ...words)
    expect(right.totals, right.err).toMatchObject({ failures: 0, twice: 1 })
    const wild = WORKLOAD.replace('`r-${number}-${turn}`', '`r-${number}-${turn}-${process.pid}`')
    expect(wild).not.toBe(WORKLOAD)
    const wrong = await sim(userProject({ ...files, 'workload.ts': wild }), ...words)
    expect(wrong.code).toBe(1)
    expect(wrong.err).toContain('seed=100 of workload.ts is not deterministic')
    expect(wrong.totals).toMatchObject({ failures: 1, twice: 1, failedSeeds: [{ seed: 100 }] })
  })

  test('counts a seed that gives nothing in another process as failed, and gives that one its own options', async () => {
    const files = { 'inventory.ts': MACHINE, 'workload.ts': WORKLOAD }
    const words = ['--workload', 'workload.ts', '--seed', '100', '--seeds', '2', '--json']
    // That process alone is told how many jobs it has.
    const thrown = `if (process.argv.includes('--jobs')) throw new Error('not here')\n${WORKLOAD}`
    const { code, err, totals } = await sim(userProject({ ...files, 'workload.ts': thrown }), ...words)
    expect(code).toBe(1)
    expect(err).toMatch(/seed=100 of workload\.ts gave no result in another process: it ended with 1\n[\s\S]*not here/)
    expect(totals).toMatchObject({ failures: 1, twice: 1, failedSeeds: [{ seed: 100 }] })
    const asked = WORKLOAD.replace('`r-${number}-${turn}`', '`r-${number}-${turn}-${process.execArgv.join()}`')
    expect(asked).not.toBe(WORKLOAD)
    const directory = userProject({ ...files, 'workload.ts': asked })
    const same = await runNode(directory, ['--title=seeds', executablePath(), 'sim', ...words])
    expect(JSON.parse(same.out), same.err).toMatchObject({ failures: 0, twice: 1 })
  })

  test('tells what is wrong with its words and modules', async () => {
    const directory = userProject({
      'inventory.ts': MACHINE,
      'workload.ts': WORKLOAD,
      'none.ts': 'export const x = 1\n',
    })
    const usage = [
      [['--workload', 'nothing'], 'Take one of counter'],
      [['--machines', 'inventory.ts'], '--machines is for a workload of your own'],
      [['--workload', 'histories', '--history', 'h.edn'], '--history is of one seed'],
      [['--shrink'], '--shrink is of one seed'],
      [['--workload', 'waits', '--seeds', '1', '--shrink'], 'faults of waits cannot be left out'],
      [['--seeds', '1', '--history', 'h.edn'], 'the workload counter records no history'],
      [['--core', '--workload', 'waits'], "option '--core' cannot be used with option '--workload <name>'"],
      [['--core', '--seeds', '1', '--shrink'], 'faults of core cannot be left out'],
      [['--workload', 'gone.ts'], 'there is no file'],
      [['--workload', 'workload.ts', '--machines', 'gone.ts'], '--machines: there is no file'],
    ] as const
    for (const [words, message] of usage) {
      const { code, err } = await sim(directory, ...words)
      expect(err).toContain(message)
      expect(code).toBe(2)
    }
    const { code, err } = await sim(directory, '--workload', 'none.ts')
    expect([code, err.includes('exports no workload')]).toEqual([1, true])
  })

  test('writes the history of a seed of ours, which can be checked', async () => {
    const directory = userProject()
    const run = await sim(
      directory,
      '--workload',
      'histories',
      '--seed',
      '3',
      '--seeds',
      '1',
      '--history',
      'h.edn',
      '--json',
    )
    expect(run.code, run.err).toBe(0)
    const lines = readFileSync(join(directory, 'h.edn'), 'utf8').trim().split('\n')
    expect(lines.length).toBe(2 * run.totals.workload.operations)
    expect(lines[0]).toMatch(/^\{:type :invoke, :process \d+, :f :/)
    for (const model of ['register', 'append']) {
      const { code, out } = await runNode(directory, [executablePath(), 'history', 'check', 'h.edn', '--model', model])
      expect([code, out.slice(0, 2)], out).toEqual([0, 'ok'])
    }
    expect(lines.filter((line) => line.includes(':f :cas') && line.includes(':value false'))).toEqual([])
  })
})

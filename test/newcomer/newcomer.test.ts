import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { compileOnce } from '../cluster/processes.ts'
import { emptyFolderBesidePackage, INSTALL } from './packed.ts'
import { Programs } from './programs.ts'

const MINUTE_MS = 60_000

beforeAll(compileOnce, 2 * MINUTE_MS)

test('a newcomer comes from an empty folder to three processes, one of which is killed, with the value right', {
  timeout: 10 * MINUTE_MS,
}, async () => {
  const { folder, tarball } = await emptyFolderBesidePackage()
  const programs = new Programs(folder)
  onTestFinished(() => programs.killAll())
  const begun = performance.now()
  await programs.run('npm', [...INSTALL, tarball])
  expect(await programs.run('npx', ['holdfast', 'new', 'project'])).toContain('npm run dev')
  await programs.run('npm', INSTALL)
  const installed = performance.now()

  edit(join(folder, 'machines/orders.ts'), 'pieces * PIECE_CENTS', 'pieces * PIECE_CENTS + 500')
  // The test of the project notices; then it is told what is meant.
  expect((await programs.end('vitest', ['run'])).code).toBe(1)
  edit(join(folder, 'machines/orders.test.ts'), '3 * PIECE_CENTS', '3 * PIECE_CENTS + 500')
  await programs.run('holdfast', ['new', 'machine', 'price-list'])
  expect(await programs.run('vitest', ['run'])).toMatch(/2 passed/)
  await programs.run('tsc', [])

  const { nodes, dev } = await threeProcesses(programs)
  const endpoints = nodes.map(({ address }) => address).join(',')
  const others = new Programs(folder, { HOLDFAST_ENDPOINTS: endpoints })
  onTestFinished(() => others.killAll())
  const { child: worker } = await others.lines('jiti', ['worker.ts'], 1)
  const first = await others.run('jiti', ['client.ts', 'o-1', '2'])
  expect(lastOf(first)).toEqual({ id: 'o-1', status: 'shipped', cents: 2900, parcel: 'parcel-o-1' })

  // What `kill -9` does to the process that leads.
  const { leader } = JSON.parse(await others.run('holdfast', ['status', '--json'])) as { leader: string }
  const { pid = 0 } = nodes.find(({ id }) => id === leader) ?? {}
  expect(pid).toBeGreaterThan(0)
  process.kill(pid, 'SIGKILL')
  const killed = performance.now()
  const again = await others.run('jiti', ['client.ts', 'o-1', '2'])
  const answered = performance.now()
  expect(again).toContain('refused: CONFLICT')
  expect(lastOf(again)).toEqual(lastOf(first))
  const next = await others.run('jiti', ['client.ts', 'o-2', '1'])
  expect(lastOf(next)).toEqual({ id: 'o-2', status: 'shipped', cents: 1700, parcel: 'parcel-o-2' })

  await others.stop(worker, 'SIGINT')
  await programs.stop(dev, 'SIGTERM')
  expect(filesWith(folder, 'dist/')).toEqual([])
  const seconds = (from: number, to: number): string => `${((to - from) / 1000).toFixed(1)} s`
  console.error(
    `newcomer: install ${seconds(begun, installed)}, rest ${seconds(installed, performance.now())}, ` +
      `of which the client after the kill ${seconds(killed, answered)}`,
  )
})

interface StartedNode {
  readonly id: string
  readonly pid: number
  readonly address: string
}

async function threeProcesses(programs: Programs): Promise<{
  nodes: readonly StartedNode[]
  dev: Awaited<ReturnType<Programs['lines']>>['child']
}> {
  const { child, lines } = await programs.lines('holdfast', ['dev', '--nodes', '3', '--json'], 3)
  return { nodes: lines.map((line) => JSON.parse(line) as StartedNode), dev: child }
}

function edit(path: string, from: string, to: string): void {
  const text = readFileSync(path, 'utf8')
  expect(text.split(from)).toHaveLength(2)
  writeFileSync(path, text.replace(from, to))
}

/** The last line that a client printed. */
function lastOf(out: string): unknown {
  return JSON.parse(out.trim().split('\n').at(-1) ?? '')
}

/** The project's own files that hold a text. */
function filesWith(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /^(?!node_modules|data|package-lock).*\.(?:ts|json|yaml|md)$/.test(file))
    .filter((file) => readFileSync(join(folder, file), 'utf8').includes(text))
}

import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { LocalCluster, type LocalClusterOptions } from '../../src/cli/cluster/local-cluster.ts'
import { type ClientSession, connect } from '../../src/client/index.ts'

/** Compiles what the spawned processes run, when something changed. Call it in `beforeAll`: compiling takes seconds. */
export function compileOnce(): void {
  const setup = fileURLToPath(new URL('../../.scripts/setup.mjs', import.meta.url))
  const { status } = spawnSync(process.execPath, [setup], { stdio: 'inherit' })
  if (status !== 0) throw new Error('the sources do not compile, so there are no processes to test')
}

/** A directory that is gone once the current test has finished, however it finished. */
export async function temporaryDirectory(): Promise<string> {
  const around = await mkdtemp(join(tmpdir(), 'holdfast-cluster-'))
  onTestFinished(() => rm(around, { recursive: true, force: true }))
  // In a directory of its own: `dev` leaves a note beside the one that it is given.
  const path = join(around, 'd')
  await mkdir(path)
  return path
}

/** A cluster of processes that listens; every process is killed once the current test has finished. */
export async function realCluster(options: Partial<LocalClusterOptions> = {}): Promise<LocalCluster> {
  const directory = await temporaryDirectory()
  const cluster = await LocalCluster.start({ nodes: 3, directory, ...options })
  onTestFinished(() => killAll(cluster))
  return cluster
}

/** What the nodes of a cluster say on stdout and stderr: `realCluster({ onLine: said.hear })`. */
export class Said {
  readonly lines: { readonly id: string; readonly line: string }[] = []
  private waiting: (() => void)[] = []

  readonly hear = (id: string, line: string): void => {
    this.lines.push({ id, line })
    const { waiting } = this
    this.waiting = []
    for (const wake of waiting) wake()
  }

  /** Resolves with the first line of that node that holds `text`. Any number may wait at once. */
  async until(id: string, text: string): Promise<string> {
    for (;;) {
      const found = this.lines.find((said) => said.id === id && said.line.includes(text))
      if (found !== undefined) return found.line
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve)
      })
    }
  }
}

/** A session that reads back what others have written. */
export async function readerOf(endpoints: readonly string[]): Promise<ClientSession> {
  const reader = await connect({ endpoints, principal: 'user:reader', connectDeadlineMs: 60_000, deadlineMs: 60_000 })
  return reader.on('*', () => undefined)
}

/** `kill -9` of every running node in one turn: none of them sees another one die first. */
export async function killAll(cluster: LocalCluster): Promise<void> {
  await Promise.all(cluster.members.map((member) => cluster.kill(member.id)))
}

export async function startAll(cluster: LocalCluster): Promise<void> {
  await Promise.all(cluster.members.map((member) => cluster.startNode(member.id)))
}

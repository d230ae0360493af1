import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { leaderOf } from '../../bench/agreement.ts'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { type ClientSession, connect, fetchStatus } from '../../src/client/index.ts'
import { type ErrorScope, explainError } from '../../src/protocol/errors.ts'

/** So long that neither a keep-alive nor a tick of the lease is written while a test looks at the log. */
const SESSION_TIMEOUT_MS = 3_600_000

/** One node in a process of its own that holds some data, and what is needed to tell that it came to no harm. */
export class ServedNode {
  readonly cluster: LocalCluster
  readonly endpoint: string
  readonly session: ClientSession
  private readonly directory: string
  private readonly pid: number

  private constructor(cluster: LocalCluster, directory: string, session: ClientSession) {
    this.cluster = cluster
    this.directory = directory
    this.session = session
    this.endpoint = cluster.endpoints[0] ?? ''
    this.pid = this.process?.pid ?? -1
  }

  /** For `beforeAll`; `close` is for `afterAll`. */
  static async start(): Promise<ServedNode> {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-bad-input-'))
    const cluster = await LocalCluster.start({ nodes: 1, directory })
    const session = await openSession(cluster.endpoints)
    const node = new ServedNode(cluster, directory, session)
    await session.execute('register', 'write', { key: 'kept', value: 'as it was' })
    return node
  }

  get process() {
    return this.cluster.process(this.id)
  }

  get id() {
    const [member] = this.cluster.members
    if (member === undefined) throw new Error('a cluster has a member')
    return member.id
  }

  get dataDirectory(): string {
    return this.cluster.dataDirectory(this.id)
  }

  /** Where its log and its state stand. */
  async position(): Promise<{ lastIndex: number; appliedIndex: number; stateHash: string }> {
    const { lastIndex, appliedIndex, stateHash } = await fetchStatus(this.endpoint)
    return { lastIndex, appliedIndex, stateHash }
  }

  /** The same process serves the same session and a new one, and holds what it held. */
  async expectUnharmed(): Promise<void> {
    expect(this.process?.pid).toBe(this.pid)
    const other = await openSession([this.endpoint])
    for (const session of [this.session, other]) {
      const read = await session.execute('register', 'read', { key: 'kept' })
      expect(read).toMatchObject({ kind: 'ok', value: 'as it was' })
    }
    await other.close()
    expect(await leaderOf(this.cluster)).toMatchObject({ id: this.id, term: 1 })
  }

  async close(): Promise<void> {
    this.session.detach()
    await this.cluster.kill(this.id)
    await rm(this.directory, { recursive: true, force: true })
  }
}

function openSession(endpoints: readonly string[]): Promise<ClientSession> {
  return connect({
    endpoints,
    principal: 'user:tester',
    timeoutMs: SESSION_TIMEOUT_MS,
    connectDeadlineMs: 60_000,
    deadlineMs: 60_000,
  })
}

/** The registry knows the code, and says what to do about it. */
export function expectExplained(scope: ErrorScope, code: string): void {
  expect(explainError(scope, code)?.cure, `${code} in scope ${scope}`).toMatch(/\w{3}/)
}

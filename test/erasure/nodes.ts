import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../../src/cli/cluster/free-ports.ts'
import { connect, type ClientSession } from '../../src/client/index.ts'
import type { RunningNode } from '../../src/host/running-node.ts'
import { startNode } from '../../src/host/start-node.ts'
import { people } from './people.ts'

type People = readonly [typeof people]

/** Nodes of one cluster in this process, on real files and sockets. */
export interface Nodes {
  readonly ids: readonly string[]
  readonly endpoints: readonly string[]
  /** Of all nodes. */
  readonly root: string
  directoryOf(id: string): string
  running(id: string): RunningNode
  start(id: string): Promise<RunningNode>
  stop(id: string): Promise<void>
  session(principal: string, more?: { readonly roles: readonly string[] }): Promise<ClientSession<People>>
  close(): Promise<void>
}

/** Starts `count` of them. Ports are free ones; who lost one to somebody else begins again. */
export async function nodes(count: number): Promise<Nodes> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await begun(count)
    } catch (error) {
      if (attempt === 3) throw error
    }
  }
}

async function begun(count: number): Promise<Nodes> {
  const root = await mkdtemp(join(tmpdir(), 'holdfast-erasure-'))
  const ports = await freePorts(count, '127.0.0.1')
  const peers = ports.map((port, at) => ({ id: `n${at + 1}`, address: `127.0.0.1:${port}` }))
  const live = new Map<string, RunningNode>()
  const start = async (id: string): Promise<RunningNode> => {
    const dataDirectory = join(root, id)
    const listed = Object.fromEntries(peers.map((peer) => [peer.id, peer.address]))
    const node = await startNode({ id, peers: listed, dataDirectory, machines: [people], logLevel: 'silent' })
    live.set(id, node)
    return node
  }
  const stop = async (id: string): Promise<void> => {
    const node = live.get(id)
    live.delete(id)
    await node?.close()
  }
  const close = async (): Promise<void> => {
    await Promise.all([...live.keys()].map(stop))
    await rm(root, { recursive: true, force: true })
  }
  try {
    for (const { id } of peers) await start(id)
  } catch (error) {
    await close()
    throw error
  }
  return {
    ids: peers.map(({ id }) => id),
    endpoints: peers.map(({ address }) => address),
    root,
    directoryOf: (id) => join(root, id),
    running: (id) => {
      const node = live.get(id)
      if (node === undefined) throw new Error(`${id} does not run`)
      return node
    },
    start,
    stop,
    session: (principal, more) =>
      connect({
        endpoints: peers.map(({ address }) => address),
        principal,
        machines: [people],
        connectDeadlineMs: 60_000,
        deadlineMs: 60_000,
        ...more,
      }),
    close,
  }
}

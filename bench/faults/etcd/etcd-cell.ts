import { join } from 'node:path'
import { program } from '../../peers/programs.ts'
import { ProbeProcess } from '../../failover/probe-process.ts'
import { type CellOptions, countsOf, judgedStrikes, strikes } from '../cell.ts'
import { Clients } from '../clients/clients-process.ts'
import { REGISTERS, registerName } from '../clients/steps.ts'
import { operationsOf } from '../history.ts'
import { chartOf } from '../report/chart.ts'
import type { StoredCell } from '../report/summary.ts'
import { judgeRegisters } from '../verdict/judge-history.ts'
import { FaultWorld } from '../world/fault-world.ts'
import { base64, EtcdApi } from './etcd-api.ts'
import { etcdOn } from './etcd-node.ts'
import { etcdScene, leaderOf, termOf } from './etcd-scene.ts'

const NODES = 3
const WRITE_MS_MAX = 10_000
const INSTALL = 'Debian: apt-get install etcd-server'

/** The same cell with three members of etcd, of whose registers each answer is judged. */
export async function runEtcdCell(name: string, options: CellOptions): Promise<StoredCell> {
  const { resources, missing, ended } = options
  const path = program('etcd', { folders: [], install: INSTALL })
  const world = await FaultWorld.start(NODES, { resources, missing, spawn: (members) => etcdOn(path, members) })
  const api = new EtcdApi()
  try {
    ended.throwIfAborted()
    await fillRegisters(world.endpoints, api)
    return { name, ...(await onWorld(world, api, options)) }
  } finally {
    api.close()
    await world.stop()
  }
}

/** Registers that nobody has written would not compare to 0. */
async function fillRegisters(endpoints: readonly string[], api: EtcdApi): Promise<void> {
  const leader = endpoints[await leaderOf(endpoints, api)] ?? ''
  for (let at = 0; at < REGISTERS; at += 1) {
    const put = { key: base64(registerName(at)), value: base64('0') }
    await api.call(leader, 'kv/put', put, WRITE_MS_MAX)
  }
}

async function onWorld(world: FaultWorld, api: EtcdApi, options: CellOptions): Promise<Omit<StoredCell, 'name'>> {
  const { resources } = options
  const { endpoints, throughClients } = world
  const beganNs = process.hrtime.bigint()
  const module = join(import.meta.dirname, 'etcd-clients.js')
  const told = { workloads: ['register'], pays: false, beganNs, options, module } as const
  const halves = [0, 1].map((half) => new Clients(world, { ...told, half }))
  try {
    await Promise.all(halves.map((clients) => clients.ready()))
    const members = endpoints.map((endpoint) => `http://${endpoint}`)
    const probe = await ProbeProcess.start('etcd', members, throughClients[1])
    resources.noteProcess(probe.pid)
    const struck = await strikes(probe, options, (scene) => etcdScene({ world, ...scene }, api))
    const stopped = await Promise.all(halves.map((clients) => clients.stop()))
    await probe.end()
    const operations = operationsOf(halves.flatMap((clients) => clients.events()))
    return {
      verdict: judgeRegisters(operations),
      unserved: false,
      ...judgedStrikes(struck, operations, beganNs),
      crashes: world.crashes,
      lostSessions: [],
      unhandledRejections: stopped.reduce((sum, { unhandledRejections }) => sum + unhandledRejections, 0),
      // Its members can write their steps down, in builds of their own.
      steps: 0,
      counts: countsOf(operations),
      ...{ idle: [], sessions: 0, callbacks: 0 },
      elections: await termOf(endpoints, api),
      snapshotIndex: 0,
      probe: { acknowledged: probe.acknowledged, failed: probe.failed },
      chart: chartOf(operations, []),
    }
  } finally {
    await Promise.all(halves.map((clients) => clients.end()))
  }
}

import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { DivergenceError, eventually } from '../../agreement.ts'
import type { Scene } from '../nemesis/fault.ts'
import type { SceneOptions } from '../nemesis/scene.ts'
import type { EtcdAnswer, EtcdApi } from './etcd-api.ts'

const CALL_MS_MAX = 1_000
/** Looks at the hashes of one revision. */
const HASHES_MAX = 10
const HASH_AGAIN_MS = 500

/** A scene whose nodes are members of etcd, with the same faults. */
export function etcdScene({ ended, ...options }: SceneOptions, api: EtcdApi): Scene {
  const { world, random } = options
  const leader = (): Promise<number> => leaderOf(world.endpoints, api)
  return {
    ...options,
    leader,
    follower: async () => random.pick(world.others(await leader())),
    transfer: async () => {
      const at = await leader()
      const other = await statusOf(world.seat(random.pick(world.others(at))).place.endpoint, api)
      const body = { targetID: other?.header?.member_id }
      await api.call(world.seat(at).place.endpoint, 'maintenance/transfer-leadership', body, CALL_MS_MAX)
    },
    replace: unchanged,
    remove: unchanged,
    add: unchanged,
    logOf: ({ dataDirectory }) => join(dataDirectory, 'member', 'wal'),
    agreed: async () => {
      await world.revive()
      await agreement(world.endpoints, api)
    },
    wait: (ms) => pause(ms, undefined, { signal: ended }),
  }
}

const unchanged = (): Promise<never> => Promise.reject(new Error('the members of etcd are not changed by this bench'))

/** Place of whoever says of itself that it leads, in the highest term that is known; waits for one. */
export function leaderOf(endpoints: readonly string[], api: EtcdApi): Promise<number> {
  return eventually('a leader of etcd', async () => {
    const all = await Promise.all(endpoints.map((endpoint) => statusOf(endpoint, api)))
    const term = Math.max(...all.map((status) => Number(status?.raftTerm ?? 0)))
    const at = all.findIndex((status) => isLeader(status) && Number(status?.raftTerm) === term)
    return at === -1 ? null : at
  })
}

/** The highest term that a member knows. */
export async function termOf(endpoints: readonly string[], api: EtcdApi): Promise<number> {
  const all = await Promise.all(endpoints.map((endpoint) => statusOf(endpoint, api)))
  return Math.max(...all.map((status) => Number(status?.raftTerm ?? 0)))
}

function isLeader(status: EtcdAnswer | null): boolean {
  return status?.leader !== undefined && status.leader === status.header?.member_id
}

/** All have applied what the leader had in its log, and hash one revision alike: who does not is asked again. */
async function agreement(endpoints: readonly string[], api: EtcdApi): Promise<void> {
  const status = await statusOf(endpoints[await leaderOf(endpoints, api)] ?? '', api)
  const [index, revision] = [Number(status?.raftIndex ?? 0), status?.header?.revision ?? '0']
  await eventually('all members have applied what was committed', async () => {
    const all = await Promise.all(endpoints.map((endpoint) => statusOf(endpoint, api)))
    return all.every((one) => Number(one?.raftAppliedIndex ?? 0) >= index) ? true : null
  })
  const hashes = (): Promise<number[]> =>
    eventually('the hashes of one revision', async () => {
      const calls = endpoints.map((endpoint) => api.call(endpoint, 'maintenance/hash', { revision }, CALL_MS_MAX))
      const answers = await Promise.all(calls).catch(() => null)
      return answers === null ? null : [...new Set(answers.map(({ hash = 0 }) => hash))]
    })
  for (let looks = 1; ; looks += 1) {
    const seen = await hashes()
    if (seen.length === 1) return
    if (looks === HASHES_MAX) throw new DivergenceError(`revision ${revision}: members hashed ${seen.join(', ')}`)
    await pause(HASH_AGAIN_MS)
  }
}

function statusOf(endpoint: string, api: EtcdApi): Promise<EtcdAnswer | null> {
  return api.call(endpoint, 'maintenance/status', {}, CALL_MS_MAX).catch(() => null)
}

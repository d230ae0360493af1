import { readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { logOpener } from '../../assembly/log-opener.ts'
import { groupId, indexAfter, type NodeId, term, writeNumber } from '../../base/brand.ts'
import { EntryEncoder } from '../../codec/entry/entry-encoder.ts'
import { encodePayload } from '../../codec/entry/payload-codec.ts'
import type { ConfigurationPayload } from '../../codec/entry/payload.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import type { LogStore, RecoveredLog } from '../../node/ports/log-store.ts'
import type { SnapshotMeta } from '../../node/ports/snapshot-store.ts'
import { systemClock } from '../../node/system-clock.ts'
import { type DataDirectory, openDataDirectory } from '../../storage/directory/data-directory.ts'
import {
  decodeIdentity,
  type DirectoryIdentity,
  encodeIdentity,
  IDENTITY_FILE,
} from '../../storage/directory/identity-file.ts'
import { replaceFile } from '../../storage/disk/replace-file.ts'
import { groupDirectory } from '../../storage/format/file-names.ts'
import { Persisted } from '../backup/persisted.ts'
import { instanceOf, newIncarnation, newLife, type NewLife, RestoreError } from '../backup/restore-plan.ts'
import { opened } from '../opened.ts'
import { StartError } from '../start-error.ts'
import { copyDirectory } from './copy-directory.ts'
import { noDirectory, type StoppedNode, withHeldNode, withStoppedNode } from './open-stopped.ts'

const GROUP = groupId(0)

export interface QuorumOptions {
  readonly data: string
  /** The node whose directory it is. */
  readonly keep: string
  readonly dryRun: boolean
  /** Unix ms. */
  readonly nowMs: number
}

/** What goes on as a cluster of one node, and what may be lost. */
export interface RecoveredQuorum {
  readonly clusterId: string
  readonly incarnation: number
  readonly address: string
  /** Its machines run as in development. */
  readonly development: boolean
  /** The voters that are given up. */
  readonly lost: readonly string[]
  /** The last entry that is kept, its term and its time (Unix ms): what others acknowledged behind it is lost. */
  readonly index: number
  readonly term: number
  readonly timeMs: number
  /** Where the directory was copied before it was changed; of a dry run, would be. */
  readonly copy: string
}

/**
 * Makes a cluster of one node of the directory of a stopped one, for a majority that is gone for good. The directory is locked,
 * and copied first, durably and without links. Its log stays, entries that were never committed among it; a Configuration with
 * a new incarnation and a new cluster id follows it, so that members which come back are not heard (storage.md §6.3).
 *
 * HOLDFAST.json changes before the log: whenever the process ends between the two, the node speaks of the new cluster and finds
 * itself no voter of it, so nobody elects it, and the same command goes on. The other way round it would lead alone under the
 * id that the others know.
 *
 * Rejects with StartError (a process holds the directory, it is damaged, it is none) and RestoreError (NOT_A_MEMBER,
 * QUORUM_NOT_LOST); then nothing was changed.
 */
export async function recoverQuorum(options: QuorumOptions): Promise<RecoveredQuorum> {
  const identity = await identityOf(options.data)
  const real = await realpath(options.data)
  const planned = (known: DirectoryIdentity) => (node: StoppedNode) =>
    Promise.resolve(planOf(node, { ...options, identity: known, real }))
  if (options.dryRun) return (await withStoppedNode(options.data, planned(identity))).result
  const expected = { nodeId: identity.nodeId, clusterId: null, development: identity.development ?? false }
  const directory = await opened<DataDirectory>((done) =>
    openDataDirectory({ path: options.data, expected, create: null }, done),
  )
  try {
    const plan = await withHeldNode(options.data, planned(directory.identity))
    await copyDirectory(real, plan.result.copy)
    await rename(directory, { identity: directory.identity, life: plan.life })
    await append(directory, plan)
    return plan.result
  } finally {
    await new Promise<void>((resolve) => directory.release(resolve))
  }
}

interface Plan {
  readonly result: RecoveredQuorum
  readonly life: NewLife
  readonly snapshot: SnapshotMeta | null
}

interface PlanOptions extends QuorumOptions {
  readonly identity: DirectoryIdentity
  /** The data directory without links on its way. */
  readonly real: string
}

function planOf(node: StoppedNode, { data, keep, nowMs, identity, real }: PlanOptions): Plan {
  const { recovered, snapshot } = node
  const newest = newestConfiguration(recovered, snapshot)
  const kept = newest?.voters.find(({ id }) => id === keep) ?? null
  if (newest === null || kept === null || node.nodeId !== keep)
    throw new RestoreError(
      'NOT_A_MEMBER',
      `${data} is the directory of ${node.nodeId}, and ${keep} is to be kept. Name a voter, and its own directory.`,
    )
  const lost = [...newest.voters, ...newest.outgoing].map(({ id }) => id).filter((id) => id !== keep)
  if (lost.length === 0)
    throw new RestoreError('QUORUM_NOT_LOST', `${keep} is the only voter of its cluster: it needs nobody. Start it.`)
  if (recovered.obligation !== null)
    throw new StartError({
      code: 'LOG_ROT',
      message: `${data}: entries that this node had acknowledged were damaged and are cut off. Keep another node, or restore a backup.`,
    })
  const incarnation = newIncarnation(Math.max(newest.incarnation, identity.incarnation))
  const end = { index: recovered.lastIndex, chain: recovered.lastChain }
  const configuration = Buffer.from(encodePayload('Configuration', newest)).toString('base64')
  const peers = [{ id: kept.id as string, address: kept.address }]
  const life = newLife({ clusterId: identity.clusterId, configuration }, { incarnation, begunMs: nowMs, end, peers })
  const lastTerm = recovered.runs.at(-1)?.term ?? snapshot?.lastIncludedTerm ?? 0
  const result = {
    clusterId: life.clusterId,
    incarnation,
    address: kept.address,
    development: identity.development ?? false,
    lost: [...new Set(lost)],
    index: recovered.lastIndex,
    term: lastTerm,
    timeMs: recovered.lastNow,
    copy: `${real}.before-${incarnation}`,
  }
  return { result, life, snapshot }
}

function newestConfiguration(recovered: RecoveredLog, snapshot: SnapshotMeta | null): ConfigurationPayload | null {
  const inLog = recovered.configurations.at(-1)?.payload ?? null
  if (inLog !== null || snapshot === null) return inLog
  const bytes = Uint8Array.from(Buffer.from(snapshot.configurationPayload, 'base64'))
  return sessionCodec.decodePayload('Configuration', bytes)
}

async function rename(
  { disk }: DataDirectory,
  { identity, life }: { identity: DirectoryIdentity; life: NewLife },
): Promise<void> {
  const { clusterId, incarnation } = life
  const next = { ...identity, clusterId, incarnation, instanceId: instanceOf(clusterId, identity.nodeId) }
  await new Promise<void>((resolve, reject) =>
    replaceFile(disk, { directory: '', name: IDENTITY_FILE, bytes: encodeIdentity(next) }, (fault) =>
      fault === null ? resolve() : reject(new StartError(fault)),
    ),
  )
}

async function append({ disk }: DataDirectory, { life, snapshot }: Plan): Promise<void> {
  const persisted = new Persisted()
  const open = logOpener({ disk, directory: groupDirectory(GROUP), group: GROUP, started: true, clock: systemClock })
  const { store, recovered } = await opened<{ store: LogStore; recovered: RecoveredLog }>((done) =>
    open(snapshot, persisted, done),
  )
  try {
    const { lastIndex, lastLease, lastNow, lastChain, lastWrite, hardState } = recovered
    const index = indexAfter(lastIndex)
    const currentTerm = term(hardState.currentTerm + 1)
    const encoder = new EntryEncoder()
    encoder.append({
      kind: 'Configuration',
      group: GROUP,
      index,
      term: currentTerm,
      lease: lastLease,
      now: lastNow,
      previousChain: lastChain,
      payload: encodePayload('Configuration', life.configuration),
    })
    const write = writeNumber(lastWrite + 1)
    const records = encoder.finish()
    store.append({
      write,
      hardState: { currentTerm, votedFor: null },
      truncateFrom: null,
      records,
      firstIndex: index,
      count: 1,
    })
    await persisted.reaches(write)
  } finally {
    await new Promise<void>((resolve) => store.close(resolve))
  }
}

async function identityOf(path: string): Promise<DirectoryIdentity & { readonly nodeId: NodeId }> {
  const bytes = await readFile(join(path, IDENTITY_FILE)).catch(() => null)
  if (bytes === null) throw noDirectory(path)
  const identity = decodeIdentity(bytes, `${path}/${IDENTITY_FILE}`)
  if ('code' in identity) throw new StartError(identity)
  return identity
}

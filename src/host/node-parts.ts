import { randomInt } from 'node:crypto'
import type { NodeParts } from '../assembly/compose-node.ts'
import { guardedMount } from '../assembly/development/guarded-mount.ts'
import { logOpener } from '../assembly/log-opener.ts'
import type { GroupId } from '../base/brand.ts'
import { errorText } from '../base/error-text.ts'
import type { Obligation } from '../raft/index.ts'
import { Random } from '../base/random.ts'
import { LEASE_MS_MAX } from '../codec/entry/payload-codec.ts'
import { sessionCodec } from '../codec/session-codec.ts'
import { mount } from '../machine/index.ts'
import { PRODUCT_MACHINES } from '../machines/index.ts'
import { type AwaitedState, DEFAULT_RAFT } from '../node/options.ts'
import type { SnapshotStore } from '../node/ports/snapshot-store.ts'
import { systemClock } from '../node/system-clock.ts'
import type { OpenedKeys } from '../erasure/open-keys.ts'
import { checkTransition } from '../raft/index.ts'
import type { NamedBuild } from '../server/cluster-service.ts'
import type { NodeLog } from '../server/log/node-log.ts'
import { traceFile } from '../server/log/trace-file.ts'
import { peerRefusals, RecentRefusals } from '../server/peer-refusals.ts'
import type { DataDirectory } from '../storage/directory/data-directory.ts'
import { groupDirectory } from '../storage/format/file-names.ts'
import { openAppliedTrail } from '../storage/trail/applied-trail-file.ts'
import { GrpcPeerTransport } from '../transport/peer-transport.ts'
import type { LeaseTerms } from '../raft/types.ts'
import type { CheckedOptions } from './check-options.ts'
import { DiskWatch } from './faults/disk-watch.ts'
import { namedBuilds } from './named-builds.ts'
import { packageFacts } from './package-facts.ts'
import { invalidOption } from './start-error.ts'

/** A node as data, its way to its peers, and what they refused lately. */
export interface Prepared {
  readonly parts: NodeParts
  readonly transport: GrpcPeerTransport
  readonly refusals: RecentRefusals
  /** Looks at the disk from here on. */
  readonly room: DiskWatch
  /** What operators are told of the machines. */
  readonly builds: () => readonly NamedBuild[]
}

/** What the node is composed of. The transport dials from here on. */
export function partsOf(
  options: CheckedOptions,
  on: {
    group: GroupId
    directory: DataDirectory
    snapshots: SnapshotStore
    awaited: AwaitedState | null
    log: NodeLog
    keys: OpenedKeys
  },
): Prepared {
  const { group, directory, snapshots, awaited, log, keys } = on
  const codec = sessionCodec
  const { development = false } = options
  const mounted = mount(options.machines ?? PRODUCT_MACHINES, codec)
  const identity = {
    clusterId: directory.identity.clusterId,
    group,
    id: options.id,
    instance: directory.identity.instanceId,
  }
  const told = peerRefusals((refusal) => log.peerRefused(refusal))
  const refusals = new RecentRefusals(() => systemClock.monotonicMs())
  const transport = new GrpcPeerTransport({
    identity,
    peers: new Map(options.peers.map((peer) => [peer.id, peer.address])),
    clock: systemClock,
    random: new Random(randomInt(2 ** 47)),
    note: (note) => {
      told(note)
      refusals.note(note)
    },
  })
  const room = new DiskWatch({
    directory: options.dataDirectory,
    reserveBytes: options.diskReserveBytes ?? null,
    told: (short) => log.diskRoom(short),
  })
  room.start()
  const parts: NodeParts = {
    identity,
    initialVoters: options.peers,
    machines: development ? guardedMount(mounted) : mounted,
    development,
    build: { runtime: process.version, holdfast: packageFacts().version },
    raft: options.raft,
    limits: options.limits,
    leases: leaseTermsOf(options),
    clock: systemClock,
    codec,
    snapshots,
    room,
    awaited,
    check: checkTransition,
    trace: traceOf(options, log),
    seed: randomInt(2 ** 47),
    openLog: logIn({ directory, group, log, room, repairs: options.peers.length > 1 }),
    openTrail: openAppliedTrail({
      disk: directory.disk,
      directory: groupDirectory(group),
      machines: mounted.userMachine.machines ?? [],
    }),
    openKeys: keysOver(transport, keys, mounted.isPersonal),
    openTransport: (listener) => {
      transport.listen(listener)
      return transport
    },
  }
  return { parts, transport, refusals, room, builds: namedBuilds(mounted.definitions) }
}

/** The directory's log. Once it is open, the directory says so: a log that is missing later was lost (storage.md §1.4). */
function logIn(of: {
  directory: DataDirectory
  group: GroupId
  log: NodeLog
  room: DiskWatch
  repairs: boolean
}): NodeParts['openLog'] {
  const { directory, group, log, room, repairs } = of
  const open = logOpener({
    disk: directory.disk,
    directory: groupDirectory(group),
    group,
    started: directory.identity.started,
    repairs,
    clock: systemClock,
  })
  return (snapshot, listener, done) =>
    open(snapshot, { ...listener, onRoom: (short) => room.segmentRoom(short) }, (fault, opened) => {
      if (fault !== null || opened === null) return done(fault, null)
      const { obligation, lastIndex } = opened.recovered
      if (obligation !== null) log.logDamaged({ lastIndex, owes: owed(obligation) })
      directory.markStarted((unmarked) => {
        if (unmarked === null) done(null, opened)
        else opened.store.close(() => done(unmarked, null))
      })
    })
}

function owed(obligation: Obligation): string {
  return obligation.kind === 'reach'
    ? `its log must reach entry ${obligation.index} of term ${obligation.term} again.`
    : 'every other voter must tell its term first, since the newest write cannot be read.'
}

/** Where steps are written down; throws StartError. */
function traceOf({ traceSteps, id }: CheckedOptions, log: NodeLog): NodeParts['trace'] {
  if (traceSteps === undefined) return undefined
  try {
    return traceFile(traceSteps, id, (why) => log.traceEnded(why))
  } catch (error) {
    throw invalidOption('options.traceSteps', `cannot be written: ${errorText(error)}`)
  }
}

/** Thousandths by which a monotonic clock may be wrong: thousands of times what those of machines are. */
const DRIFT_PERMILLE = 100

/**
 * Leases as a node's options want them (lease-reads.md): as long as the minimum election timeout, in which a leader is missed
 * anyhow. Null: none are to be in force; undefined: what the log says stays.
 */
function leaseTermsOf({ leases, raft }: CheckedOptions): LeaseTerms | null | undefined {
  if (leases !== true) return leases === false ? null : undefined
  const ms = Math.min(raft?.electionTimeoutMinMs ?? DEFAULT_RAFT.electionTimeoutMinMs, LEASE_MS_MAX)
  return { ms: Math.max(1, Math.round(ms)), driftPermille: DRIFT_PERMILLE }
}

/** The keys of a node that asks the others of its group, and answers them. */
function keysOver(transport: GrpcPeerTransport, keys: OpenedKeys, isPersonal: boolean): NodeParts['openKeys'] {
  return (driver) => {
    const made = keys.of(driver, (peer, instance, body) => transport.askKeys(peer, instance, body))
    transport.onKeys((sender, body) => made.exchange.answer(sender, body))
    if (isPersonal) made.start()
    return made
  }
}

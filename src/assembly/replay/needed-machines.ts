import { logIndex } from '../../base/brand.ts'
import type { EntryHeader } from '../../codec/entry/entry.ts'
import { payloadAt, readHeader, recordLength } from '../../codec/entry/record.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import { ValueError } from '../../codec/value/value-error.ts'
import type { Mount } from '../../machine/index.ts'
import type { ReadRecords } from '../../node/ports/log-store.ts'
import type { SnapshotMeta } from '../../node/ports/snapshot-store.ts'
import { OWN_MACHINE } from '../../session/own-versions.ts'
import { checkBuild } from '../../session/run/check-build.ts'
import { ApplyHalt } from '../../session/run/halt.ts'
import { SessionStateMachine } from '../../session/session-state-machine.ts'
import { TASK_MACHINE } from '../../session/tables/tasks.ts'
import type { History } from './replay-history.ts'
import { settled } from '../settled.ts'

/** A version of a machine that a start of the node applies entries with. */
export interface NeededMachine {
  readonly machine: string
  readonly version: number
  /** The schema that the log names with it; null: it names none. */
  readonly schema: string | null
  /** The entry that switches to it; of what a snapshot says, the last one that it covers. */
  readonly index: number
  /** No later entry switches to another version. */
  readonly active: boolean
  /** Why a start with the machines that were asked about would halt there, or null. */
  readonly halt: { readonly code: string; readonly message: string } | null
}

/** Of a log that names no versions: what every machine of it has (sessions.md §10). */
const FIRST_VERSION = 1
const READ_BYTES = 1024 * 1024

type Wanted = Omit<NeededMachine, 'active' | 'halt'>
type Kept = Pick<History, 'log' | 'recovered' | 'snapshots' | 'snapshot'>

/**
 * Which machines a start on this history needs, from its snapshot on, in the order of the log, and whether `build` has them.
 * The session layer's own is one of them only where this build lacks the version of it.
 * Entries that were never known to be committed count: a start may have to apply them. Applies nothing. Rejects with what a
 * store fails with.
 */
export async function neededMachines(
  history: Kept,
  { userMachine }: Pick<Mount, 'userMachine'>,
): Promise<readonly NeededMachine[]> {
  const wanted = await wantedBySnapshot(history, userMachine)
  await addWantedByLog(history, wanted)
  const all = wanted.map((each) => {
    const halt = checkBuild([...(userMachine.machines ?? []), OWN_MACHINE], each, each.index)
    return {
      ...each,
      active: highest(wanted, each.machine) === each.version,
      halt: halt === null ? null : { code: halt.code, message: halt.message },
    }
  })
  return all.filter(({ machine, halt }) => machine !== OWN_MACHINE.name || halt !== null)
}

async function wantedBySnapshot({ snapshot, snapshots }: Kept, user: Mount['userMachine']): Promise<Wanted[]> {
  if (snapshot === null) return []
  const state = new SessionStateMachine(user, sessionCodec)
  await settled<SnapshotMeta | null>((done) =>
    snapshots.load((rows) => {
      for (const { key, value } of rows) state.restoreRow(key, sessionCodec.decodeValue(value))
    }, done),
  )
  const { lastIncludedIndex: index, lastIncludedTerm: term, lease, now } = snapshot
  try {
    state.restored({ index, term, lease, now })
  } catch (error) {
    // Which machines are lacking is asked below, of each.
    if (!(error instanceof ApplyHalt)) throw error
  }
  if (!state.activated) return []
  const named = [...state.machines(), state.own].filter(({ active }) => active > 0)
  return named.map(({ name: machine, active: version, schema }) => ({ machine, version, schema, index }))
}

/** As apply checks it (`SessionStateMachine`), without applying. */
async function addWantedByLog(history: Kept, wanted: Wanted[]): Promise<void> {
  // A log that names no versions says by which one each command was parsed.
  let named = wanted.length > 0
  for await (const { header, payload } of entriesOf(history)) {
    const { kind, index } = header
    if (kind === 'AdvanceVersion') {
      const machines = decoded(() => sessionCodec.decodePayload('AdvanceVersion', payload))?.machines ?? []
      named ||= machines.length > 0
      for (const { machine, to: version, schema } of machines)
        if (version > (highest(wanted, machine) ?? 0)) wanted.push({ machine, version, schema, index })
    } else if (kind === 'ClientRequest' && !named) {
      const { machine, version } = decoded(() => sessionCodec.decodeClientRequest(payload)) ?? {}
      if (machine === undefined || machine === TASK_MACHINE || version !== FIRST_VERSION) continue
      if (highest(wanted, machine) === null) wanted.push({ machine, version, schema: null, index })
    }
  }
}

/** Every entry above the snapshot, in order. */
async function* entriesOf({ log, recovered, snapshot }: Kept): AsyncGenerator<{
  readonly header: EntryHeader
  readonly payload: Uint8Array
}> {
  const { firstIndex, lastIndex } = recovered
  let next = Math.max(firstIndex, (snapshot?.lastIncludedIndex ?? 0) + 1)
  while (next <= lastIndex) {
    const range = { first: logIndex(next), last: lastIndex, maxBytes: READ_BYTES }
    const { records } = await settled<ReadRecords>((done) => log.read(range, done))
    for (let offset = 0; offset < records.length; offset += recordLength(records, offset)) {
      const header = readHeader(records, offset)
      yield { header, payload: payloadAt(records, offset) }
      next = header.index + 1
    }
  }
}

/** The highest version that was named of a machine, or null. */
function highest(wanted: readonly Wanted[], machine: string): number | null {
  return wanted.findLast((each) => each.machine === machine)?.version ?? null
}

/** Null where it does not decode: apply answers such an entry and changes nothing. */
function decoded<Payload>(decode: () => Payload): Payload | null {
  try {
    return decode()
  } catch (error) {
    if (error instanceof ValueError) return null
    throw error
  }
}

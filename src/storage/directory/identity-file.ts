import { isNodeId } from '../../base/brand.ts'
import type { NodeId } from '../../base/brand.ts'
import type { StorageFault } from '../../node/ports/storage-fault.ts'

/** Name of the file that makes a directory one of Holdfast's. */
export const IDENTITY_FILE = 'HOLDFAST.json'
/** Names the process that has the directory open. */
export const LOCK_FILE = 'LOCK'
/** Rises when an older build could not read the directory any more; a build refuses a higher one (storage.md §7). */
export const DIRECTORY_FORMAT = 1

/** Whose data a directory holds: HOLDFAST.json, for people and for the checks at every start (storage.md §1.1). */
export interface DirectoryIdentity {
  readonly format: number
  readonly clusterId: string
  readonly nodeId: NodeId
  /** Random id of this directory, 32 hex digits: a wiped node is told from itself. */
  readonly instanceId: string
  /** Rises with every restore from a backup. */
  readonly incarnation: number
  /** ISO 8601, UTC. */
  readonly created: string
  /** Raft groups whose data lies here. */
  readonly groups: readonly number[]
  /** A node may have voted under this instance id: every group's log exists from then on. */
  readonly started: boolean
  /** Whether machines run here as in development, where they reject more; a directory of an earlier build does not say. */
  readonly development?: boolean
}

/** Whom a start expects to find. */
export interface ExpectedIdentity {
  readonly nodeId: NodeId
  /** null: any, e.g. for a command that looks into the directory. */
  readonly clusterId: string | null
  readonly development: boolean
}

/** The file's bytes: JSON in lines, for people. */
export function encodeIdentity(identity: DirectoryIdentity): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(identity, null, 2)}\n`)
}

/**
 * The identity in a file's bytes, or the fault (NEWER_FORMAT, IO_ERROR) that this build cannot read it. `shown` names
 * the file.
 */
export function decodeIdentity(bytes: Uint8Array, shown: string): DirectoryIdentity | StorageFault {
  const parsed = parse(bytes)
  if (typeof parsed !== 'object' || parsed === null || !('format' in parsed) || typeof parsed.format !== 'number')
    return unreadable(shown)
  if (parsed.format > DIRECTORY_FORMAT) {
    return {
      code: 'NEWER_FORMAT',
      message:
        `${shown} was written by a newer version of Holdfast (directory format ${parsed.format}, this build reads up to ${DIRECTORY_FORMAT}). ` +
        `Nothing was changed. Start that version, or a later one, on this directory.`,
    }
  }
  return isIdentity(parsed) ? parsed : unreadable(shown)
}

/** Null when the directory is the one expected; else WRONG_CLUSTER, WRONG_NODE or WRONG_MODE (storage.md §1.1). */
export function checkIdentity(
  found: DirectoryIdentity,
  expected: ExpectedIdentity,
  shown: string,
): StorageFault | null {
  if (expected.clusterId !== null && found.clusterId !== expected.clusterId) {
    return {
      code: 'WRONG_CLUSTER',
      message:
        `${shown} belongs to cluster "${found.clusterId}", this node was started for cluster "${expected.clusterId}". Nothing was changed. ` +
        `Start it with the cluster id "${found.clusterId}", or name another directory with --data.`,
    }
  }
  if (found.nodeId !== expected.nodeId) {
    return {
      code: 'WRONG_NODE',
      message:
        `${shown} belongs to node "${found.nodeId}", this node is "${expected.nodeId}". Nothing was changed. Two nodes must never share a ` +
        `directory: start it as "${found.nodeId}", or name another directory with --data.`,
    }
  }
  // What the log holds was decided in that mode, and is decided again by every replay and by every other node.
  if (found.development !== undefined && found.development !== expected.development) {
    const mode = (development: boolean): string => (development ? 'in development mode' : 'without development mode')
    return {
      code: 'WRONG_MODE',
      message:
        `${shown} was made ${mode(found.development)}, this node was started ${mode(expected.development)}. Nothing was changed. ` +
        `In development mode machines reject commands that they accept otherwise, so the two modes make different states of one log: ` +
        `start it ${found.development ? 'with' : 'without'} --development, or name another directory with --data.`,
    }
  }
  return null
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return null
  }
}

function isIdentity(value: object): value is DirectoryIdentity {
  const found: Partial<Record<keyof DirectoryIdentity, unknown>> = value
  if (typeof found.clusterId !== 'string' || typeof found.nodeId !== 'string' || !isNodeId(found.nodeId)) return false
  if (typeof found.instanceId !== 'string' || !/^[0-9a-f]{32}$/.test(found.instanceId)) return false
  if (typeof found.incarnation !== 'number' || !Number.isSafeInteger(found.incarnation)) return false
  return (
    typeof found.created === 'string' &&
    Array.isArray(found.groups) &&
    found.groups.every((group) => Number.isSafeInteger(group)) &&
    typeof found.started === 'boolean' &&
    (found.development === undefined || typeof found.development === 'boolean')
  )
}

function unreadable(shown: string): StorageFault {
  return {
    code: 'IO_ERROR',
    message:
      `${shown} does not say whose data this is: it is damaged, or no file of Holdfast's. Nothing was changed. Restore the file from a copy of this very ` +
      `directory that was made after the node first took part in its cluster: it does not change from then on. Without one the directory cannot be used.`,
  }
}

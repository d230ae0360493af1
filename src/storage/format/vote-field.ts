import { assert } from '../../base/assert.ts'
import { isNodeId, nodeId } from '../../base/brand.ts'
import type { NodeId } from '../../base/brand.ts'

/** A node id, or none, in a fixed field: one length byte elsewhere, then up to 63 bytes of ASCII and zeros. */
export const VOTE_BYTES = 64

/** Writes the text at `offset` and returns its length, 0 for no vote. */
export function writeVote(bytes: Uint8Array, offset: number, vote: NodeId | null): number {
  const text = vote ?? ''
  assert(text.length < VOTE_BYTES, 'a node id has at most 63 characters', { vote })
  for (let at = 0; at < text.length; at += 1) bytes[offset + at] = text.charCodeAt(at)
  return text.length
}

/** The vote, null for none, undefined when the bytes are no node id. */
export function readVote(bytes: Uint8Array, offset: number, length: number): NodeId | null | undefined {
  if (length === 0) return null
  if (length >= VOTE_BYTES) return undefined
  const text = String.fromCharCode(...bytes.subarray(offset, offset + length))
  return isNodeId(text) ? nodeId(text) : undefined
}

export { applyTwice, type AppliedEntry, type Divergence } from './apply-twice.ts'
export { DeterminismError, withDeterminismGuard } from './determinism.ts'
export { type EmbeddedNode, embeddedNode, type EmbeddedNodeOptions } from './embedded-node.ts'
export { MemoryDisk } from '../storage/disk/memory-disk.ts'

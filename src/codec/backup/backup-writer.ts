import { hash } from 'node:crypto'
import { type BlockKind, encodeBlock } from './backup-block.ts'
import type { BackupFacts, BackupTotals } from './backup-facts.ts'

/** Digest of no block. */
export const NO_BLOCKS = '0'.repeat(64)

/** Digest of blocks: SHA-256 over the one before, as text, and the SHA-256 of the next block, as text. */
export function nextDigest(before: string, block: Uint8Array): string {
  return hash('sha256', before + hash('sha256', block, 'hex'), 'hex')
}

/** Makes the blocks of one backup, in the order of the calls: facts, log, rows, totals. */
export class BackupWriter {
  private blocks = 0
  private bytes = 0
  private rows = 0
  private entries = 0
  private digest = NO_BLOCKS

  facts(facts: BackupFacts): Uint8Array {
    return this.block('facts', Buffer.from(JSON.stringify(facts), 'utf8'))
  }

  /** Whole records of the log, the next ones. */
  log(records: Uint8Array, entries: number): Uint8Array {
    this.entries += entries
    return this.block('log', records)
  }

  /** Packed rows, the next ones in key order. */
  packed(bytes: Uint8Array, rows: number): Uint8Array {
    this.rows += rows
    return this.block('rows', bytes)
  }

  /** The last block. */
  totals(): Uint8Array {
    const { blocks, bytes, rows, entries, digest } = this
    const totals: BackupTotals = { blocks, bytes, rows, entries, digest }
    return encodeBlock('totals', Buffer.from(JSON.stringify(totals), 'utf8'))
  }

  private block(kind: BlockKind, content: Uint8Array): Uint8Array {
    const block = encodeBlock(kind, content)
    this.blocks += 1
    this.bytes += block.length
    this.digest = nextDigest(this.digest, block)
    return block
  }
}

import { unreachable } from '../../base/assert.ts'
import { groupId, logIndex, type Term, term } from '../../base/brand.ts'
import { verifyRecords } from '../entry/batch.ts'
import { describeRefusal, recordChain, recordIndex, recordLength } from '../entry/record.ts'
import { compareKeys, keyFromBytes } from '../rows/key.ts'
import { readUint32 } from '../bytes/integers.ts'
import { BLOCK_HEADER_BYTES, type BlockKind, isIntact, readBlockHeader } from './backup-block.ts'
import { BACKUP_FORMAT, type BackupFacts, type BackupSnapshot, type BackupTotals } from './backup-facts.ts'
import { checkFacts } from './check-facts.ts'
import { nextDigest, NO_BLOCKS } from './backup-writer.ts'

/** Why bytes are no whole backup, in a sentence with the place. */
export class BackupError extends Error {
  override readonly name = 'BackupError'
  readonly code: 'BACKUP_DAMAGED' | 'NEWER_FORMAT'

  constructor(code: BackupError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** One verified block; its bytes are the reader's caller's own. */
export type BackupPart =
  | { readonly kind: 'facts'; readonly facts: BackupFacts }
  /** Records [first, last] of the log. */
  | { readonly kind: 'log'; readonly records: Uint8Array; readonly first: number; readonly last: number }
  | { readonly kind: 'rows'; readonly bytes: Uint8Array; readonly rows: number }
  | { readonly kind: 'totals'; readonly totals: BackupTotals }

/**
 * Reads a backup as its bytes come, in pieces of any size, and verifies all of it: checksums, the order of blocks, of entries
 * and of keys, chain values, counts, digest and length. Throws BackupError where something cannot be right. Memory: one block.
 */
export class BackupReader {
  private pieces: Uint8Array[] = []
  private held = 0
  private blocks = 0
  private bytes = 0
  private rows = 0
  private entries = 0
  private digest = NO_BLOCKS
  private facts: BackupFacts | null = null
  private lastKey: string | null = null
  private lastTerm: Term = term(0)
  private chain: number | null = null
  private over = false

  /** The next bytes of the file; `take` gives what is whole. */
  push(piece: Uint8Array): void {
    if (piece.length === 0) return
    if (this.over) throw this.damaged('bytes follow the last block')
    this.pieces.push(piece)
    this.held += piece.length
  }

  /** The next whole block; null: more bytes are needed. */
  take(): BackupPart | null {
    if (this.over && this.held > 0) throw this.damaged('bytes follow the last block')
    if (this.held < BLOCK_HEADER_BYTES) return null
    const header = readBlockHeader(this.front(BLOCK_HEADER_BYTES))
    if (header === null) throw this.damaged(this.blocks === 0 ? 'this is no backup' : 'no block begins here')
    if (this.held < BLOCK_HEADER_BYTES + header.length) return null
    const block = this.front(BLOCK_HEADER_BYTES + header.length)
    if (!isIntact(block)) throw this.damaged('a block fails its checksum')
    const part = this.part(header.kind, block.subarray(BLOCK_HEADER_BYTES))
    this.pieces = this.held === block.length ? [] : [this.front(this.held).subarray(block.length)]
    this.held -= block.length
    this.blocks += 1
    this.bytes += block.length
    this.digest = nextDigest(this.digest, block)
    return part
  }

  /** No more bytes come: throws BackupError unless all of the backup was taken. */
  end(): void {
    if (!this.over) throw this.damaged('the file ends before the backup does')
  }

  private part(kind: BlockKind, content: Uint8Array): BackupPart {
    if ((kind === 'facts') !== (this.facts === null)) throw this.damaged('the facts stand in the first block alone')
    switch (kind) {
      case 'facts':
        return { kind, facts: this.takeFacts(content) }
      case 'log':
        return this.takeLog(content)
      case 'rows':
        return { kind, bytes: content, rows: this.takeRows(content) }
      case 'totals':
        return { kind, totals: this.takeTotals(content) }
      default:
        return unreachable(kind)
    }
  }

  private takeFacts(content: Uint8Array): BackupFacts {
    const facts = parsed<BackupFacts>(content)
    if (typeof facts?.format !== 'number') throw this.damaged('its facts cannot be read')
    if (facts.format > BACKUP_FORMAT) {
      const message = `The backup has format ${facts.format}; this build reads up to ${BACKUP_FORMAT}. Use the newer build.`
      throw new BackupError('NEWER_FORMAT', message)
    }
    const wrong = checkFacts(facts)
    if (wrong !== null) throw this.damaged(wrong)
    this.facts = facts
    const { snapshot, log } = facts
    if (snapshot !== null && log?.first === snapshot.lastIncludedIndex + 1) {
      this.chain = snapshot.chain
      this.lastTerm = term(snapshot.lastIncludedTerm)
    } else if (log?.first === 1) this.chain = 0
    return facts
  }

  private takeLog(records: Uint8Array): BackupPart {
    const { log = null, group = 0, snapshot = null } = this.facts ?? {}
    if (log === null || this.rows > 0) throw this.damaged('entries stand where there are none')
    const first = logIndex(log.first + this.entries)
    const context = { group: groupId(group), first, previousTerm: this.lastTerm, previousChain: this.chain }
    const verified = verifyRecords(records, context)
    if ('reason' in verified) throw this.damaged(`an entry is wrong: ${describeRefusal(verified.reason)}`)
    this.entries += verified.count
    this.lastTerm = verified.lastTerm
    this.chain = verified.lastChain
    if (snapshot !== null && !meets(records, { first, last: verified.last, snapshot }))
      throw this.damaged('the entries do not lead to its state')
    return { kind: 'log', records, first, last: verified.last }
  }

  private takeRows(content: Uint8Array): number {
    let offset = 0
    let rows = 0
    while (offset < content.length) {
      const keyEnd = offset + 8 <= content.length ? offset + 4 + readUint32(content, offset) : content.length
      const stored = keyEnd + 4 <= content.length ? readUint32(content, keyEnd) : 0
      const end = keyEnd + 4 + stored - 1
      if (stored === 0 || end > content.length) throw this.damaged('a row is cut off, or deleted')
      const key = keyFromBytes(content.subarray(offset + 4, keyEnd))
      if (this.lastKey !== null && compareKeys(this.lastKey, key) >= 0) throw this.damaged('rows are out of order')
      this.lastKey = key
      offset = end
      rows += 1
    }
    this.rows += rows
    return rows
  }

  private takeTotals(content: Uint8Array): BackupTotals {
    const totals = parsed<BackupTotals>(content)
    const { rows, entries, blocks, bytes, digest, facts } = this
    const fits = totals !== null && totals.blocks === blocks && totals.bytes === bytes && totals.digest === digest
    if (!fits || totals.rows !== rows || totals.entries !== entries)
      throw this.damaged('blocks are missing, or others than were written')
    const said = facts?.log ?? null
    const wanted = said === null ? 0 : said.last - said.first + 1
    if (rows !== (facts?.rows ?? 0) || entries !== wanted) throw this.damaged('it holds less than it says')
    if (said !== null && this.chain !== facts?.end.chain) throw this.damaged('its entries do not lead to its end')
    this.over = true
    return totals
  }

  /** The first bytes that are held, in one piece. */
  private front(length: number): Uint8Array {
    const [first] = this.pieces
    if (first !== undefined && first.length >= length) return first.subarray(0, length)
    const joined = new Uint8Array(this.held)
    let offset = 0
    for (const piece of this.pieces) {
      joined.set(piece, offset)
      offset += piece.length
    }
    this.pieces = [joined]
    return joined.subarray(0, length)
  }

  private damaged(what: string): BackupError {
    const message = `The backup is damaged at byte ${this.bytes}: ${what}. Nothing of it can be relied on: take another copy of it, or another backup.`
    return new BackupError('BACKUP_DAMAGED', message)
  }
}

/** Whether the entry that the state is as of, where these records hold it, is the one that the state names. */
function meets(
  records: Uint8Array,
  { first, last, snapshot }: { first: number; last: number; snapshot: BackupSnapshot },
): boolean {
  const { lastIncludedIndex, chain } = snapshot
  if (lastIncludedIndex < first || lastIncludedIndex > last) return true
  let offset = 0
  while (recordIndex(records, offset) < lastIncludedIndex) offset += recordLength(records, offset)
  return recordChain(records, offset) === chain
}

/** JSON in UTF-8; null where it is none. */
function parsed<Content>(bytes: Uint8Array): Content | null {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Content
  } catch {
    return null
  }
}

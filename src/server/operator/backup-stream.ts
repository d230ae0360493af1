import type { ServerDuplexStream } from '@grpc/grpc-js'
import type { RaftNode } from '../../node/api.ts'
import type { BackupRefusal } from '../../node/backup/backup-source.ts'
import type { BackupRun, NextBlock } from '../../node/backup/backup-run.ts'
import { explainError } from '../../protocol/errors.ts'
import { statusObject } from '../grpc-error.ts'
import { backupRequest } from './operator-requests.ts'

/** Bytes of a message at most: well below what a client accepts, whatever a row takes. */
const PIECE_BYTES_MAX = 512 * 1024
/** A reader that asks for nothing in so long is given up: what it reads from keeps files of the database on disk. */
const IDLE_MS = 60_000

/**
 * One backup on its way: each message of the reader is answered with one piece of the file, so that a slow reader holds up
 * nobody, and neither side holds more than what was asked for.
 */
export class BackupStream {
  private readonly call: ServerDuplexStream<unknown, unknown>
  private readonly source: RaftNode['inspection']
  private readonly ended: () => void
  private run: BackupRun | null = null
  /** Pieces that were asked for and are not sent. */
  private wanted = 0
  private begun = false
  private busy = false
  private over = false
  /** What is left of the last block. */
  private left: Uint8Array | null = null
  private idle: NodeJS.Timeout | null = null

  constructor(source: RaftNode['inspection'], call: ServerDuplexStream<unknown, unknown>, ended: () => void) {
    this.source = source
    this.call = call
    this.ended = ended
    call.on('data', (message: unknown) => this.asked(message))
    for (const event of ['cancelled', 'error', 'close']) call.on(event, () => this.end())
    this.watch()
  }

  /** Ends it with a code of scope `operator`, or that of the node's halt. */
  fail(code: BackupRefusal | 'BACKUP_OVERTAKEN' | 'BACKUP_ABANDONED' | 'INVALID'): void {
    if (this.over) return
    this.end()
    this.call.emit('error', statusObject(explainError('operator', code) === null ? 'halt' : 'operator', code))
  }

  private asked(message: unknown): void {
    if (this.over) return
    this.wanted += 1
    if (this.begun) return this.send()
    this.begun = true
    const parsed = backupRequest.safeParse(message)
    if (!parsed.success) return this.fail('INVALID')
    const { backups } = this.source
    if (backups === null) return this.fail('NOTHING_TO_BACK_UP')
    backups.open(parsed.data, (run) => {
      if (typeof run === 'string') return this.fail(run)
      if (this.over) return run.close()
      this.run = run
      this.send()
    })
  }

  private send(): void {
    const { run, left } = this
    if (run === null || this.busy || this.over || this.wanted === 0) return
    this.busy = true
    if (left !== null) return this.write(left)
    run.take((block) => this.took(block))
  }

  private took(block: NextBlock): void {
    if (this.over) return
    if (typeof block !== 'string') return this.write(block)
    if (block !== 'end') return this.fail(block)
    this.end()
    this.call.end()
  }

  private write(bytes: Uint8Array): void {
    this.left = bytes.length > PIECE_BYTES_MAX ? bytes.subarray(PIECE_BYTES_MAX) : null
    this.wanted -= 1
    this.watch()
    this.call.write({ bytes: bytes.subarray(0, PIECE_BYTES_MAX) }, () => {
      this.busy = false
      this.send()
    })
  }

  private watch(): void {
    if (this.idle !== null) clearTimeout(this.idle)
    this.idle = setTimeout(() => this.fail('BACKUP_ABANDONED'), IDLE_MS)
  }

  private end(): void {
    if (this.over) return
    this.over = true
    if (this.idle !== null) clearTimeout(this.idle)
    this.run?.close()
    this.ended()
  }
}

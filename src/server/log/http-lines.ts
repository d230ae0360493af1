import type { Logger } from 'pino'
import { errorStack, errorText } from '../../base/error-text.ts'
import { type Later, laterWithoutHolding, RepeatLimit, WINDOW_MS } from './repeat-limit.ts'

/** Of a body that is told. */
const BODY_CHARACTERS_MAX = 4096

/** What a node's HTTP port tells, as lines of its log. */
export class HttpLines {
  private readonly logger: Logger
  private readonly limit: RepeatLimit

  constructor(logger: Logger, later: Later = laterWithoutHolding) {
    this.logger = logger
    this.limit = new RepeatLimit(later, (kind, leftOut) => this.leftOut(kind, leftOut))
  }

  /** The node takes callbacks and validations at this address. */
  listening(address: string): void {
    this.logger.info({ event: 'httpListening', address }, `takes callbacks by HTTP on ${address}`)
  }

  /** A callback's body cannot be read, and nobody else keeps it: told however often. Its first 4,096 characters. */
  unparsed({ field, reason, body }: { readonly field: string; readonly reason: string; readonly body: string }): void {
    const shown = body.slice(0, BODY_CHARACTERS_MAX)
    this.logger.warn({ event: 'callbackUnparsed', field, reason, body: shown }, `a callback's ${field} ${reason}`)
  }

  /** A callback was answered 503: whoever sent it sends it again. */
  notCommitted(code: string): void {
    if (!this.limit.admit('callbackNotCommitted')) return
    this.logger.warn({ event: 'callbackNotCommitted', code }, `a callback was not seen to be committed: ${code}`)
  }

  /** A request was answered 500. */
  failed(error: unknown): void {
    if (!this.limit.admit('httpFailed')) return
    const told = { error: errorText(error), stack: errorStack(error) }
    this.logger.error({ event: 'httpFailed', ...told }, `a request was answered 500: ${told.error}`)
  }

  flush(): void {
    this.limit.flush()
  }

  private leftOut(kind: string, leftOut: number): void {
    const sentence = `${kind} ${leftOut} more times within ${WINDOW_MS / 1000} s; those lines were left out`
    this.logger.warn({ event: 'httpLinesLeftOut', of: kind, leftOut }, sentence)
  }
}

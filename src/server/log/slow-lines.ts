import type { Logger } from 'pino'
import type { NodeEvent } from '../../node/api.ts'
import { type Later, laterWithoutHolding, RepeatLimit, WINDOW_MS } from './repeat-limit.ts'

const SAYS = {
  queue: 'a log write has waited for its turn for',
  write: 'the disk has not taken a log write for',
  fsync: 'a log write has not reached the disk (fdatasync) for',
  replicate: 'what is on this disk was not committed: a majority of the voters has not acknowledged it for',
  apply: 'what is committed was not applied: the machines, or snapshots that are being written, hold it up for',
} as const

/** What holds commands up, by stage with milliseconds, as lines of the log: a few of one stage in ten seconds. */
export class SlowLines {
  private readonly logger: Logger
  private readonly limit: RepeatLimit

  constructor(logger: Logger, later: Later = laterWithoutHolding) {
    this.logger = logger
    this.limit = new RepeatLimit(later, (stage, leftOut) => {
      const sentence = `${stage} was slow ${leftOut} more times within ${WINDOW_MS / 1000} s; those lines were left out`
      this.logger.warn({ event: 'slowLinesLeftOut', stage, leftOut }, sentence)
    })
  }

  tell(event: Extract<NodeEvent, { readonly kind: 'diskSlow' | 'progressSlow' }>): void {
    const { kind, stage } = event
    if (!this.limit.admit(stage)) return
    const ms = kind === 'diskSlow' ? event.writeAgeMs : event.waitedMs
    const figures = kind === 'diskSlow' ? { writeAgeMs: ms } : { waitedMs: ms, index: event.index }
    this.logger.warn({ event: kind, stage, ...figures }, `${SAYS[stage]} ${Math.round(ms)} ms`)
  }

  flush(): void {
    this.limit.flush()
  }
}

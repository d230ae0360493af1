import type { Logger } from 'pino'
import { unreachable } from '../../base/assert.ts'
import { errorStack, errorText } from '../../base/error-text.ts'
import type { ToldFailure } from '../../node/apply/machine-reports.ts'
import { meaningOf, nameOfPart, type MachineLine } from '../../session/machine-report.ts'
import { type Later, laterWithoutHolding, RepeatLimit, WINDOW_MS } from './repeat-limit.ts'

/** What machines tell, as lines of a node's log: `machine` for `ctx.log`, `machineFailed` for what failed, within a limit. */
export class MachineLines {
  private readonly logger: Logger
  private readonly limit: RepeatLimit

  constructor(logger: Logger, later: Later = laterWithoutHolding) {
    this.logger = logger
    this.limit = new RepeatLimit(later, (name, leftOut) => this.leftOut(name, leftOut))
  }

  tell(report: MachineLine | ToldFailure): void {
    switch (report.kind) {
      case 'line': {
        const { machine, index, message, fields } = report
        this.logger.info({ event: 'machine', machine, index, fields }, String(message))
        return
      }
      case 'failure':
        if (this.limit.admit(nameOfPart(report.part))) this.failed(report)
        return
      default:
        unreachable(report)
    }
  }

  flush(): void {
    this.limit.flush()
  }

  private failed({ part, index, session, reason, replayed, error }: ToldFailure): void {
    const thrown = error === null ? {} : { error: errorText(error), stack: errorStack(error) }
    const { machine, kind, name } = part
    const fields = { event: 'machineFailed', machine, part: kind, name, index, session, reason, replayed, ...thrown }
    const what = error === null ? '' : ` (${errorText(error)})`
    this.logger.error(fields, `${nameOfPart(part)} failed at index ${index}: ${meaningOf(reason)}${what}`)
  }

  private leftOut(name: string, leftOut: number): void {
    const sentence = `${name} failed ${leftOut} more times within ${WINDOW_MS / 1000} s; those lines were left out`
    this.logger.error({ event: 'machineFailuresLeftOut', name, leftOut }, sentence)
  }
}

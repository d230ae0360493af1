import { checkTrace } from '../../trace/check-trace.ts'
import { EXIT, type ExitCode } from '../terminal/exit.ts'
import { print, printJson, say, withCommas } from '../terminal/output.ts'
import { readTraces } from './read-traces.ts'

export interface TraceCheckFlags {
  readonly directory: string
  readonly json: boolean
}

/** `holdfast trace check`. Fails with CommandError for a directory without traces, and for a file that is none. */
export function checkTraces({ directory, json }: TraceCheckFlags): ExitCode {
  const verdict = checkTrace(readTraces(directory))
  const { violation, lines, nodes, elections, committed } = verdict
  const code = violation === null && lines > 0 ? EXIT.ok : EXIT.failure
  if (json) {
    printJson(verdict)
    return code
  }
  const seen = `${withCommas(lines)} steps of ${nodes} nodes, ${elections} terms with a leader, ${withCommas(committed)} entries committed`
  if (violation === null) print(lines > 0 ? `allowed  ${seen}` : 'There are no steps: nothing is shown.')
  else {
    print(`refused  line ${violation.line} of ${violation.node}, after ${seen}`)
    say(`  ${violation.rule}: ${violation.seen}`)
  }
  return code
}

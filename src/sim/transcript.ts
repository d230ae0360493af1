import { createRunningHash, finishHash, foldNumber, foldString, hashText } from '../codec/value/running-hash.ts'

/** What happened, in order, folded into one hash; with a `trace` every line is also given out. */
export class Transcript {
  private readonly running = createRunningHash()
  private readonly trace: ((line: string) => void) | undefined

  constructor(trace?: (line: string) => void) {
    this.trace = trace
  }

  add(micros: number, line: string): void {
    foldNumber(this.running, micros)
    foldString(this.running, line)
    this.trace?.(`${(micros / 1_000_000).toFixed(6)} ${line}`)
  }

  hash(): string {
    return hashText(finishHash({ ...this.running }))
  }
}

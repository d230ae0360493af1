import { say } from '../../src/cli/terminal/output.ts'

/** A snapshot that a node has written, or installed after it had pulled it from another one. */
export interface SnapshotLine {
  readonly event: 'snapshotWritten' | 'snapshotInstalled'
  readonly index: number
  /** Rows that it has, of a written one those that changed since the one before. */
  readonly rows: number
  readonly durationMs: number
}

interface Waiting {
  readonly id: string
  readonly event: SnapshotLine['event']
  readonly rowsMin: number
  readonly heard: (line: SnapshotLine) => void
}

/** Hears of snapshots in the logs of nodes, whose level is `info`; what else they warn of is said to whoever looks. */
export class SnapshotLines {
  private waiting: Waiting[] = []

  readonly hear = (id: string, text: string): void => {
    if (/"event":"snapshot(?:Written|Installed)"/.test(text)) this.heard(id, JSON.parse(text) as SnapshotLine)
    else if (!/"level":"info"|"event":"diskSlow"/.test(text)) say(`[${id}] ${text}`)
  }

  /** The next such line of that node from now on whose snapshot has at least so many rows. */
  next(id: string, event: SnapshotLine['event'], rowsMin = 0): Promise<SnapshotLine> {
    return new Promise((heard) => this.waiting.push({ id, event, rowsMin, heard }))
  }

  private heard(id: string, line: SnapshotLine): void {
    const meant = (one: Waiting): boolean => one.id === id && one.event === line.event && line.rows >= one.rowsMin
    const told = this.waiting.filter(meant)
    this.waiting = this.waiting.filter((one) => !meant(one))
    for (const { heard } of told) heard(line)
  }
}

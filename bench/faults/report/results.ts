import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StoredCell, Summary } from './summary.ts'

/** What runs leave: `summary.json` and `report.html` of the last one, and by run the cells of those that are not quick. */
export class Results {
  private readonly directory: string
  private readonly cells: string

  /** `run`: what its cells depend on besides their names: the commit, the seed, whether all was on the loopback. */
  constructor(directory: string, run: string) {
    this.directory = directory
    this.cells = join(directory, run)
    mkdirSync(directory, { recursive: true })
  }

  /** The cell of that name, if an earlier run has ended it, with as many faults. */
  of(name: string, faults: number): StoredCell | null {
    try {
      // As `keep` wrote it.
      const cell = JSON.parse(readFileSync(join(this.cells, `${name}.json`), 'utf8')) as StoredCell
      return cell.faults.length + cell.late.length === faults ? cell : null
    } catch {
      return null
    }
  }

  keep(cell: StoredCell): void {
    mkdirSync(this.cells, { recursive: true })
    writeFileSync(join(this.cells, `${cell.name}.json`), JSON.stringify(cell))
  }

  report(summary: Summary, page: string): void {
    writeFileSync(join(this.directory, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`)
    writeFileSync(join(this.directory, 'report.html'), page)
  }
}

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StoredCell, Summary } from './summary.ts'

/** What runs leave: `summary.json` and `report.html` of the last one, and by commit the cells of those that are not quick. */
export class Results {
  private readonly directory: string
  private readonly cells: string

  constructor(directory: string, commit: string) {
    this.directory = directory
    this.cells = join(directory, commit)
    mkdirSync(directory, { recursive: true })
  }

  /** The cell of that name, if an earlier run at this commit has ended it. */
  of(name: string): StoredCell | null {
    try {
      return JSON.parse(readFileSync(join(this.cells, `${name}.json`), 'utf8')) as StoredCell // As `keep` wrote it.
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

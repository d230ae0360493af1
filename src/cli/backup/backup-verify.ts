import { readFacts, verifyBackup } from '../../host/backup/read-parts.ts'
import { print, printJson, withCommas } from '../terminal/output.ts'
import { Progress } from '../terminal/progress.ts'
import { backupBytes } from './backup-places.ts'
import { factsJson, factsLines } from './backup-words.ts'

/** `holdfast backup verify`: rejects with BackupError where a byte is wrong. */
export async function verify(file: string, json: boolean): Promise<void> {
  let progress: Progress | null = null
  let done = 0
  const { facts, totals } = await verifyBackup(backupBytes(file), (part) => {
    if (part.kind === 'facts') {
      const { rows, log } = part.facts
      progress = new Progress('entries and rows', rows + (log === null ? 0 : log.last - log.first + 1))
    } else if (part.kind === 'log') done += part.last - part.first + 1
    else if (part.kind === 'rows') done += part.rows
    progress?.update(done)
  })
  const shown = progress as Progress | null
  shown?.finish()
  if (json) printJson({ ok: true, file, bytes: totals.bytes, digest: totals.digest, ...factsJson(facts) })
  else
    print(
      [`${file} is whole: ${withCommas(totals.bytes)} bytes, digest ${totals.digest}`, ...factsLines(facts)].join('\n'),
    )
}

/** `holdfast backup inspect`: its first block alone. */
export async function inspect(file: string, json: boolean): Promise<void> {
  const facts = await readFacts(backupBytes(file))
  if (json) printJson({ file, ...factsJson(facts) })
  else print([...factsLines(facts), `Not verified: holdfast backup verify ${file}`].join('\n'))
}

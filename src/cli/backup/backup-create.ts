import { backupPieces } from '../../client/operator/backup.ts'
import { OperatorError } from '../../client/operator/ask-leader.ts'
import { readFacts } from '../../host/backup/read-parts.ts'
import { saveBackup } from '../../host/backup/save-backup.ts'
import { CommandError, EXIT } from '../terminal/exit.ts'
import { print, printJson, say, withCommas } from '../terminal/output.ts'
import { Progress } from '../terminal/progress.ts'
import { backupBytes, backupTarget, requireFile } from './backup-places.ts'
import { type Facts, factsJson, factsLines } from './backup-words.ts'

export interface CreateFlags {
  readonly file: string
  readonly endpoints: readonly string[]
  readonly withLog: boolean
  /** A backup; null: none. */
  readonly since: string | null
  readonly json: boolean
}

/** `holdfast backup create`: from the first of the nodes that gives one. Nothing is left of one that is not whole. */
export async function createBackup(flags: CreateFlags): Promise<void> {
  if (flags.since !== null) requireFile(flags.since)
  const since = flags.since === null ? null : await readFacts(backupBytes(flags.since))
  let lost = new OperatorError('NO_LEADER', 'there is no endpoint to ask')
  for (const endpoint of flags.endpoints) {
    const heard = { any: false }
    try {
      return await createFrom(endpoint, flags, { since, heard })
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error
      lost = error
      if (heard.any) break
    }
  }
  const { code, message } = lost
  if (code.startsWith('GRPC_') || code === 'NO_LEADER') {
    const cure = 'Start one, or name others with --endpoints.'
    throw new CommandError(EXIT.cannotConnect, `no node gave a backup: ${message}`, cure)
  }
  throw new CommandError(EXIT.failure, message, `holdfast explain ${code} says what to do.`, code)
}

async function createFrom(
  endpoint: string,
  { file, withLog, json }: CreateFlags,
  { since, heard }: { since: Facts | null; heard: { any: boolean } },
): Promise<void> {
  const pieces = backupPieces(endpoint, { withLog: withLog || since !== null, sinceIndex: since?.end.index ?? 0 })
  const target = await backupTarget(file)
  let progress: Progress | null = null
  let done = 0
  const { facts, totals } = await saveBackup(pieces, target, {
    since,
    onPart: (part) => {
      if (part.kind === 'facts') {
        heard.any = true
        const { log, rows, node } = part.facts
        say(`backup of ${node} at ${endpoint}`)
        progress = new Progress('entries and rows', rows + (log === null ? 0 : log.last - log.first + 1))
      } else if (part.kind === 'log') done += part.last - part.first + 1
      else if (part.kind === 'rows') done += part.rows
      progress?.update(done)
    },
  })
  const finished = progress as Progress | null
  finished?.finish()
  const result = { file, endpoint, bytes: totals.bytes, ...factsJson(facts) }
  if (json && file !== '-') return printJson(result)
  const next = `holdfast restore ${file === '-' ? '<file>' : file} --data <directory> --id ${facts.node}`
  const lines = [`${file}: ${withCommas(totals.bytes)} bytes, verified`, ...factsLines(facts), `To restore it: ${next}`]
  for (const line of lines) file === '-' ? say(line) : print(line)
}

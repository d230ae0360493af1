import { assert } from '../../base/assert.ts'
import { recoverQuorum } from '../../host/stopped/recover-quorum.ts'
import { readSettings, type TypedFlags } from '../config/read-settings.ts'
import { print, printJson, withCommas } from '../terminal/output.ts'

/** Options of `holdfast recover quorum`. */
export interface QuorumFlags extends TypedFlags {
  readonly keep: string
  readonly dryRun?: true
  readonly json?: true
}

/** `holdfast recover quorum`: rejects with StartError and RestoreError; then nothing was changed. */
export async function quorum(flags: QuorumFlags): Promise<void> {
  const { values } = await readSettings(flags, ['data'])
  const { data } = values
  assert(data !== undefined, 'required settings are there', { values })
  const { keep, dryRun = false } = flags
  const found = await recoverQuorum({ data, keep, dryRun, nowMs: Date.now() })
  const { index, term, timeMs, lost, incarnation, clusterId, address, development, copy } = found
  const start = `holdfast start --id ${keep} --data ${data} --peers ${keep}=${address}${development ? ' --development' : ''}`
  const next = dryRun ? `holdfast recover quorum --keep ${keep} --data ${data}` : start
  const time = new Date(timeMs).toISOString()
  if (flags.json === true)
    return printJson({ recovered: !dryRun, keep, lost, index, term, time, incarnation, clusterId, copy, next })
  print(
    [
      `${keep} ${dryRun ? 'would go on' : 'goes on'} alone, with its log up to entry ${withCommas(index)}, term ${term}, of ${time}`,
      `Given up: ${lost.join(', ')}. What they acknowledged behind that entry without ${keep} is lost; entries that ${keep} holds and`,
      'nobody acknowledged become history. Compare the survivors first (holdfast log show), and keep the one that ends with the highest',
      'term and, in it, the highest entry.',
      `They cannot join again: the cluster has a new id${dryRun ? '' : ` (${clusterId})`} and incarnation${dryRun ? '' : ` (${incarnation})`}, and sessions of before are answered CLUSTER_CHANGED.`,
      dryRun ? 'Nothing was changed. To do it:' : `The directory as it was lies in ${copy}. To start the node:`,
      `  ${next}`,
    ].join('\n'),
  )
}

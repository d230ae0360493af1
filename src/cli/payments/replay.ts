import { type MalformedBody, planReplay, type ReplayPlan } from '../../machines/payments/tools/plan-replay.ts'
import type { Backend } from './backend.ts'
import { connectBackend } from './client-backend.ts'
import { field } from './outcome.ts'
import { EXIT, type ExitCode } from '../terminal/exit.ts'
import { paint, print, printJson, say, withCommas } from '../terminal/output.ts'
import { Progress } from '../terminal/progress.ts'
import { linesOf } from './read-lines.ts'
import { type ReplayProgress, ReplayRun } from './replay-run.ts'
import type { ReplayTotals } from './replay-totals.ts'
import { askAll } from '../cluster/status.ts'

/** Options of `holdfast payments replay`. */
export interface ReplayFlags {
  /** `-` for stdin. */
  readonly file: string
  readonly endpoints: readonly string[]
  readonly json: boolean
  /** Refunds of what the file orphaned are carried out, as far as telling goes: nobody is paid. */
  readonly refunds: boolean
}

/** `holdfast payments replay`: ends with code 0 when every well-formed callback was answered. */
export async function replay(flags: ReplayFlags): Promise<ExitCode> {
  const run = `replay-${Date.now().toString(36)}`
  const plan = planReplay(await linesOf(flags.file), { run })
  for (const malformed of plan.malformed) say(malformedText(malformed))
  const backend = await connectBackend(flags.endpoints)
  try {
    const counted = await feed(plan, backend, run, flags.refunds)
    const totals = await backend.query('admin:replay', 'payments', 'totals', {})
    const stateHash = await stateHashOf(flags.endpoints)
    const result = { ...counted, stateHash, totals: totals.kind === 'ok' ? totals.value : null }
    if (flags.json) printJson(result)
    else print(summary(counted, { stateHash, totals: result.totals }))
    return EXIT.ok
  } finally {
    await backend.close()
  }
}

/** Which body does not parse, and why; the first of a line is usually its only one. */
function malformedText({ line, body, field, reason }: MalformedBody): string {
  const place = body === 1 ? `line ${line}` : `line ${line}, body ${body}`
  return `${paint('yellow', place)}: ${field} ${reason}`
}

async function feed(plan: ReplayPlan, backend: Backend, run: string, refunds: boolean): Promise<ReplayTotals> {
  let bar: Progress | null = null
  let phase: ReplayProgress['phase'] | null = null
  const progress = (now: ReplayProgress): void => {
    if (now.phase !== phase) {
      bar?.finish()
      bar = new Progress(now.phase, now.total)
      phase = now.phase
    }
    bar?.update(now.done)
  }
  const counted = await new ReplayRun({ plan, backend, run, now: Date.now(), progress, refunds }).run()
  const last: Progress | null = bar
  ;(last as Progress | null)?.finish()
  return counted
}

/** The leader's running hash of state, as of now. */
async function stateHashOf(endpoints: readonly string[]): Promise<string | null> {
  const known = (await askAll(endpoints)).flatMap((report) => (report.status === null ? [] : [report.status]))
  const leader = known.find((status) => status.role === 'leader') ?? known[0]
  return leader?.stateHash ?? null
}

/** What the cluster owes, whoever it owes it to: `replay` says so, and pays nothing. */
export function owedText(totals: unknown): string {
  const owedMinor = Number(field(field(totals, 'money'), 'owedMinor') ?? 0)
  const status = field(field(totals, 'refunds'), 'status')
  const counts = ['AWAITING_APPROVAL', 'QUEUED', 'SENT', 'FAILED_MANUAL'].flatMap((name) => {
    const count = Number(field(status, name) ?? 0)
    return count === 0 ? [] : [`${withCommas(count)} ${name}`]
  })
  if (owedMinor === 0) return 'the cluster owes no refund'
  const [units, cents] = [withCommas(Math.floor(owedMinor / 100)), String(owedMinor % 100).padStart(2, '0')]
  return `the cluster owes ${units}.${cents} KES in refunds: ${counts.join(', ')}`
}

function summary(totals: ReplayTotals, after: { readonly stateHash: string | null; readonly totals: unknown }): string {
  const { received, applied, replayed, ignored, orphaned, suspense, unknown, malformed, confirmed, failed } = totals
  const rejected = Object.entries(totals.rejected).map(([code, count]) => `${withCommas(count)} ${code}`)
  return [
    `${withCommas(received)} callbacks: ${withCommas(applied)} applied, ${withCommas(replayed)} duplicates, ${withCommas(ignored)} stale,`,
    `  ${withCommas(orphaned)} orphaned, ${withCommas(suspense)} in suspense, ${withCommas(unknown)} failures of unknown pushes,`,
    `  ${withCommas(malformed)} malformed, rejected: ${rejected.join(', ') || 'none'}`,
    `${withCommas(totals.bookings)} bookings: ${withCommas(confirmed)} paid, ${withCommas(failed)} failed`,
    owedText(after.totals),
    `state hash ${after.stateHash ?? 'unknown'}`,
  ].join('\n')
}

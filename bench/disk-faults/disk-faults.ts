import { join } from 'node:path'
import { printJson, say } from '../../src/cli/terminal/output.ts'
import { missingTools } from '../faults/world/tools.ts'
import { inScratch } from '../scratch.ts'
import { type Case, CASES, isAsWritten, nameOf } from './cases.ts'
import { type CaseResult, runCase } from './run-case.ts'
import { ShelfCluster } from './shelf-cluster.ts'

export interface DiskFaultsFlags {
  readonly json: boolean
  /** Part of the names of the cases to run; null: all. */
  readonly only: string | null
}

/** One case, as it is told. */
export interface ToldCase {
  readonly name: string
  readonly expected: string
  readonly outcome: string
  readonly ok: boolean
  readonly ms: number
}

export interface DiskFaultsSummary {
  readonly cases: number
  /** Acknowledged commands that are missing, or that were applied twice. */
  readonly lost: number
  /** Damage that is to be found, and was not. */
  readonly undetected: number
  /** Nodes that did not agree with the others again. */
  readonly unrepaired: number
  /** Outcomes that are others than those written down. */
  readonly unexpected: number
  /** Cases that could not be made here, and why. */
  readonly skipped: { readonly [name: string]: string }
  readonly seconds: number
  readonly byCase: readonly ToldCase[]
}

/**
 * Every kind of file × every kind of damage, on one node of three and on a single one, as processes on real files; each outcome
 * is held against the one that is written down (docs/disk-faults.md). True when all are as written, nothing that was
 * acknowledged is gone or there twice, and all nodes agree after each.
 */
export async function diskFaults({ json, only }: DiskFaultsFlags): Promise<boolean> {
  const summary = await runCases(CASES.filter((one) => only === null || nameOf(one).includes(only)))
  if (json) printJson(summary)
  else say(JSON.stringify({ ...summary, byCase: summary.byCase.filter(({ ok }) => !ok) }, null, 2))
  const { lost, undetected, unrepaired, unexpected } = summary
  return lost + undetected + unrepaired + unexpected === 0
}

export async function runCases(cases: readonly Case[]): Promise<DiskFaultsSummary> {
  const started = performance.now()
  const missing = await missingTools()
  const reason = missing.get('strace') ?? null
  const needsStrace = ({ damage }: Case): boolean =>
    damage === 'eio-read' || damage === 'eio-write' || damage === 'enospc'
  const left = reason === null ? [] : cases.filter(needsStrace)
  for (const one of left) say(`skipped: ${nameOf(one)}: ${reason}`)
  const results: (readonly [Case, CaseResult, number])[] = []
  await inScratch(async (directory, ended) => {
    for (const nodes of [3, 1] as const) {
      const some = cases.filter((one) => one.nodes === nodes && !left.includes(one))
      if (some.length > 0) await onOneCluster(some, { directory: join(directory, `of-${nodes}`), ended, results })
    }
  })
  const told = results.map(([one, result, ms]) => toldOf(one, result, ms))
  const sum = (of: (one: Case, result: CaseResult) => number): number =>
    results.reduce((total, [one, result]) => total + of(one, result), 0)
  return {
    cases: results.length,
    lost: sum((_, { wrong }) => wrong.length),
    undetected: sum(({ outcome }, result) => Number(!outcome.includes('serves') && result.outcome === 'serves')),
    unrepaired: sum((_, { apart }) => Number(apart !== null)),
    unexpected: told.filter(({ ok }) => !ok).length,
    skipped: Object.fromEntries(left.map((one) => [nameOf(one), reason ?? ''])),
    seconds: Math.round((performance.now() - started) / 1000),
    byCase: told,
  }
}

async function onOneCluster(
  cases: readonly Case[],
  to: {
    readonly directory: string
    readonly ended: AbortSignal
    readonly results: (readonly [Case, CaseResult, number])[]
  },
): Promise<void> {
  const begin = (at: number): Promise<ShelfCluster> => ShelfCluster.start(cases[0]?.nodes ?? 1, `${to.directory}-${at}`)
  let cluster = await begin(0)
  try {
    for (const [at, one] of cases.entries()) {
      to.ended.throwIfAborted()
      const started = performance.now()
      const result = await runCase(cluster, at + 1, one).catch(
        (error: unknown): CaseResult => ({ outcome: null, wrong: [], apart: String(error) }),
      )
      const ms = Math.round(performance.now() - started)
      to.results.push([one, result, ms])
      const { ok, outcome } = toldOf(one, result, ms)
      say(`${ok ? 'as written' : 'NOT AS WRITTEN'}: ${nameOf(one)}: ${outcome}, ${ms} ms${wordsOf(one, result)}`)
      if (result.apart === null) continue
      // One that does not come to itself again is no ground for the next.
      await cluster.stop()
      cluster = await begin(at + 1)
    }
  } finally {
    await cluster.stop()
  }
}

function toldOf(one: Case, { outcome, wrong, apart }: CaseResult, ms: number): ToldCase {
  const ok = isAsWritten(one, outcome) && wrong.length === 0 && apart === null
  return { name: nameOf(one), expected: one.outcome, outcome: outcome ?? 'not made', ok, ms }
}

function wordsOf(one: Case, { outcome, wrong, apart }: CaseResult): string {
  const other = isAsWritten(one, outcome) ? [] : [`expected: ${one.outcome}`]
  return [...other, ...wrong, ...(apart === null ? [] : [apart])].map((text) => `; ${text}`).join('')
}

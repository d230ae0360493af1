import { withCommas } from '../../src/cli/terminal/output.ts'
import type { Growth } from '../growth/curves.ts'
import type { Spread } from '../peers/spread.ts'
import { type Figure, figureOf, type Verdict, verdictOf } from './figures.ts'
import { PLAN } from './plan.ts'
import type { Stored } from './stored.ts'
import { type ReportedBench, type Target, TARGETS } from './targets.ts'

/** Results by their benches; null: there is none. */
export type Results = (bench: ReportedBench) => Stored | null

/** A curve, by the name of its file beside the report. */
export interface Curves {
  readonly growth: Growth | null
  readonly files: readonly string[]
}

interface Line {
  readonly target: Target
  readonly figure: Figure
  /** Null: nothing was measured. */
  readonly verdict: Verdict | null
  readonly stored: Stored | null
}

/** The whole report as Markdown: the same results give the same text. */
export function reportMarkdown(results: Results, curves: Curves): string {
  const lines = TARGETS.map((target) => lineOf(target, results(target.bench)))
  return [
    '# Results of the benches',
    '',
    '`npm run bench -- report` writes this page from the results beside it. What each bench measures: [bench/README.md](../README.md). A ratio of two',
    'that were measured in turn is a result, any other figure a note on one machine. Medians and ranges are those of the runs of one bench.',
    '',
    ...targetTable(lines),
    '',
    ...missedList(lines),
    ...curveSection(curves),
    ...benchTable(results),
    '',
  ].join('\n')
}

/** How many lines have each verdict. */
export function countVerdicts(results: Results): { readonly [verdict: string]: number } {
  const counts: { [verdict: string]: number } = {}
  for (const target of TARGETS) {
    const { verdict, figure } = lineOf(target, results(target.bench))
    const name = verdict ?? figure.kind
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

function lineOf(target: Target, found: Stored | null): Line {
  const figure: Figure = found === null ? { kind: 'absent' } : figureOf(target, found.result)
  const verdict = figure.kind === 'measured' ? verdictOf(target, figure.value) : null
  return { target, figure, verdict, stored: found }
}

function targetTable(lines: readonly Line[]): string[] {
  return [
    '| # | what | goal | wanted now | median | range | verdict |',
    '|--|--|--|--|--|--|--|',
    ...lines.map((line) => {
      const { number, what, unit, goal, wanted } = line.target
      const bound = goal === undefined ? null : 'least' in goal ? `≥ ${shown(goal.least)}` : `≤ ${shown(goal.most)}`
      const sign = goal !== undefined && 'least' in goal ? '≥' : '≤'
      return row([
        number,
        what,
        bound === null ? '–' : `${bound} ${unit}`,
        wanted === undefined ? '–' : `${sign} ${shown(wanted)}`,
        ...valuesOf(line),
        wordsOf(line),
      ])
    }),
  ]
}

function valuesOf({ figure, target }: Line): [string, string] {
  if (figure.kind !== 'measured') return ['–', '–']
  const { median, min, max } = figure.value
  return [`${shown(median)} ${target.unit}`, `${shown(min)} to ${shown(max)}`]
}

function wordsOf({ figure, verdict, target, stored: found }: Line): string {
  if (figure.kind === 'skipped') return `skipped: ${figure.reason}`
  if (figure.kind === 'absent') return found === null ? 'not measured' : 'its bench did not say'
  const quick = found?.quick === true ? ', of a quick run' : ''
  if (verdict === 'missed' || verdict === 'wanted') {
    const { goal } = target
    const bound = goal === undefined ? 1 : 'least' in goal ? goal.least : goal.most
    const words = verdict === 'wanted' ? 'what is wanted now' : '**missed**'
    return `${words}, ${shown(Math.round((figure.value.median / bound) * 100) / 100)} of the goal${quick}`
  }
  return `${verdict === 'met' ? 'met' : 'reported'}${quick}`
}

function missedList(lines: readonly Line[]): string[] {
  const missed = lines.filter(({ verdict }) => verdict === 'missed' || verdict === 'wanted')
  if (missed.length === 0) return []
  return [
    '## What misses its goal, and the next step',
    '',
    ...missed.map(({ target }) => `- **${target.number}, ${target.what}.** ${target.next}`),
    '',
  ]
}

function curveSection({ growth, files }: Curves): string[] {
  if (growth === null) return []
  const axes: [string, string, Growth['nodes']][] = [
    [
      'nodes',
      'Each node more applies every command once more on the same two processors, and the leader sends once more.',
      growth.nodes,
    ],
    [
      'payload bytes',
      'Up to 1 KiB a command costs what its steps cost; above it the log and the streams carry bytes.',
      growth.payload,
    ],
    [
      'sessions',
      'One in flight each: up to 1,000 more of them fill the batches, beyond that they are idle and cost memory.',
      growth.sessions,
    ],
  ]
  return [
    '## Growth',
    '',
    ...files.map((name) => `![${name}](${name})`),
    '',
    ...axes.flatMap(([name, reason, points]) =>
      points.length === 0
        ? []
        : [
            `| ${name} | writes/s | range | p99, ms |`,
            '|--|--|--|--|',
            ...points.map(({ at, perSecond, p99Ms }) =>
              row([withCommas(at), shown(perSecond.median), rangeOf(perSecond), shown(p99Ms.median)]),
            ),
            '',
            reason,
            '',
          ],
    ),
  ]
}

function benchTable(results: Results): string[] {
  return [
    '## What was run',
    '',
    '| bench | settings | when | commit | Node | load before, behind | seconds | exit code | fdatasync p50/p99, stream p50, ms |',
    '|--|--|--|--|--|--|--|--|--|',
    ...PLAN.map(({ bench }) => {
      const found = results(bench)
      if (found === null) return row([bench, 'not run', ...Array.from({ length: 7 }, () => '–')])
      const settings = found.arguments.filter((word) => word !== '--json').join(' ')
      return row([
        bench,
        settings === '' ? 'its own' : `\`${settings}\``,
        found.at.slice(0, 16).replace('T', ' '),
        found.commit ?? '–',
        found.node,
        found.load.join(', '),
        withCommas(found.seconds),
        String(found.exitCode ?? 'none'),
        floorOf(found.result),
      ])
    }),
  ]
}

function floorOf(result: unknown): string {
  const of = (name: string): string => {
    const figure = figureOf({ at: `floor.${name}` }, result)
    return figure.kind === 'measured' ? String(figure.value.median) : '–'
  }
  return `${of('fdatasyncP50Ms')}/${of('fdatasyncP99Ms')}, ${of('streamRttP50Ms')}`
}

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
const rangeOf = ({ min, max }: Spread): string => `${shown(min)} to ${shown(max)}`
/** Three digits that count: no bench is exact beyond them. */
const shown = (value: number): string =>
  Math.abs(value) >= 1000 ? withCommas(Math.round(value)) : String(Number(value.toPrecision(3)))

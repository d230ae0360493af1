import { drawn } from './chart.ts'
import { quantile } from './figures.ts'
import type { StoredCell, Summary } from './summary.ts'

/** One page that needs nothing else: the verdict, a row per fault, and a picture per cell. */
export function pageOf(summary: Summary, cells: readonly StoredCell[]): string {
  const { anomalies, unknown, lost, commit, seed, counts } = summary
  const skipped = Object.entries(summary.skipped).map(([name, reason]) => `<li>${name}: ${escaped(reason)}</li>`)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Faults</title>
<style>body{font:14px sans-serif;margin:2em;max-width:1200px}table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:3px 7px;text-align:right}
td:first-child,th:first-child,td.said{text-align:left}.bad{color:#b00}</style></head><body>
<h1>Faults</h1>
<p class="${summary.ok ? '' : 'bad'}">anomalies ${anomalies}, unknown ${unknown}, lost ${lost}; operations: ${counts.ok} answered, ${counts.fail} not done,
${counts.info} of unknown outcome. Commit ${escaped(commit)}, seed ${seed}.</p>
${summary.examples.map((line) => `<p class="bad">${escaped(line)}</p>`).join('\n')}
<table><tr><th>fault</th><th>trials</th><th>gap p50 ms</th><th>gap max ms</th><th>agreed again p50 ms</th><th>before /s</th><th>during /s</th>
<th>after /s</th><th>p99 before ms</th><th>p99 during ms</th><th>p99 after ms</th><th>load</th><th>said</th></tr>
${rows(cells).join('\n')}
</table>
${skipped.length === 0 ? '' : `<h2>Skipped</h2><ul>${skipped.join('')}</ul>`}
${cells.map(({ name, faults, chart }) => `<h2>${escaped(name)}</h2>\n${drawn(chart, faults)}`).join('\n')}
</body></html>
`
}

function rows(cells: readonly StoredCell[]): string[] {
  const all = cells.flatMap(({ faults }) => faults)
  return [...new Set(all.map(({ name }) => name))].map((name) => {
    const trials = all.filter((one) => one.name === name)
    const median = (of: (one: (typeof trials)[number]) => number | null): string =>
      String(
        quantile(
          trials.flatMap((one) => of(one) ?? []),
          0.5,
        ) ?? '–',
      )
    const gaps = trials.flatMap(({ gapMs }) => gapMs ?? [])
    const figures = [
      ...[
        trials.length,
        median(({ gapMs }) => gapMs),
        quantile(gaps, 1) ?? '–',
        median(({ recoveredMs }) => recoveredMs),
      ],
      ...[median(({ before }) => before.perSecond), median(({ during }) => during.perSecond)],
      ...[median(({ after }) => after.perSecond), median(({ before }) => before.p99Ms)],
      ...[median(({ during }) => during.p99Ms), median(({ after }) => after.p99Ms), median(({ load }) => load)],
    ]
    const said = [...new Set(trials.flatMap((one) => one.said))].slice(0, 3).join('; ')
    return `<tr><td>${name}</td>${figures.map((value) => `<td>${value}</td>`).join('')}<td class="said">${escaped(said)}</td></tr>`
  })
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

/** What keeps a chart from being replicated. */
export type ChartIssueCode =
  | 'CHART_INLINE_ACTION'
  | 'CHART_UNKNOWN_NAME'
  | 'CHART_UNNAMED_ACTOR'
  | 'CHART_UNREPLICABLE_ACTOR'
  | 'CHART_LIVE_ONLY'
  | 'CHART_BAD_DELAY'
  | 'CHART_CONTEXT'

/** One place of a chart that cannot be replicated. */
export interface ChartIssue {
  readonly code: ChartIssueCode
  /** The state's id and the part of it, e.g. `order.paying.entry[0]`. */
  readonly path: string
  /** What is wrong, and the way out. */
  readonly problem: string
}

/** A chart was refused where it was defined. */
export class ChartError extends Error {
  override readonly name = 'ChartError'
  readonly issues: readonly ChartIssue[]

  constructor(chart: string, issues: readonly ChartIssue[]) {
    const lines = issues.map(({ code, path, problem }) => `  ${path}: ${code}: ${problem}`)
    super(`the chart ${chart} cannot be replicated:\n${lines.join('\n')}`)
    this.issues = issues
  }
}

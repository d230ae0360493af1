/** Resubmissions of one direction that are analysed; the next one is not (domain.md §4.6). */
export const RESUBMITS_MAX = 3
/** Analyses of one direction: the first, and one per resubmission that is analysed. */
export const ANALYSES_MAX = RESUBMITS_MAX + 1

/** Whether the resubmission of that number, from 1, goes on without an analysis. They are never counted anew. */
export const breakerSkips = (resubmits: number): boolean => resubmits > RESUBMITS_MAX

/** What a result says is to be done about the gaps between a guess and how it is (domain.md §4.2). */
export const ANALYSIS_ACTIONS = ['PROCEED', 'OFFER_OPTIONAL', 'OFFER_SHARING'] as const
/** One of `ANALYSIS_ACTIONS`. */
export type AnalysisAction = (typeof ANALYSIS_ACTIONS)[number]

/** Whether a result has the subject offered to share something: an optional offer needs something that it is about. */
export function decideOffer(action: AnalysisAction, focus: string | null): boolean {
  return action === 'OFFER_SHARING' || (action === 'OFFER_OPTIONAL' && focus !== null && focus.trim() !== '')
}

/**
 * What becomes of a result: an offer, or the reason why there is none. `ALREADY_OFFERED`: one offer per direction for ever,
 * however it ended, so that sharing cannot go round in circles (domain.md §4.6).
 */
export type ResultVerdict = 'OFFER' | 'NO_GAP' | 'ALREADY_OFFERED'

/** Judges a result by what was offered before in its direction. */
export function judgeResult(
  result: { readonly action: AnalysisAction; readonly focus: string | null },
  offeredBefore: boolean,
): ResultVerdict {
  if (!decideOffer(result.action, result.focus)) return 'NO_GAP'
  return offeredBefore ? 'ALREADY_OFFERED' : 'OFFER'
}

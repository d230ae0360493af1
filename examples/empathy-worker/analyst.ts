import type { WorkerHandlers } from 'holdfast'
import {
  type AnalysisQuestion,
  type AnalysisResult,
  type gates,
  type reconciler,
  stubAnalysis,
  stubRefinement,
} from 'holdfast/machines'

type Handlers = WorkerHandlers<typeof gates | typeof reconciler>
type Kind = 'needs.synthesize' | 'common_ground.analyze' | 'strategies.suggest'
/** What a worker is given of a kind of task of `gates`, and what it brings. */
type Given<Of extends Kind> = Parameters<NonNullable<Handlers[Of]>>[0]
type Brought<Of extends Kind> = Promise<Awaited<ReturnType<NonNullable<Handlers[Of]>>>>

/** What a subject may share, and how the subject wants it worded instead. */
export interface Wording {
  readonly content: string
  readonly instruction: string
}

/** One person's own words. */
export type OwnWords = Pick<Given<'needs.synthesize'>, 'events' | 'boundaries' | 'messages'>
/** Needs that both have shared; `side` is A or B. */
export interface SharedNeeds {
  readonly needs: readonly {
    readonly consentId: string
    readonly side: string
    readonly category: string
    readonly content: string
  }[]
}
export type Ground = Pick<Given<'strategies.suggest'>, 'count' | 'commonGround' | 'library'>

/**
 * Who does the tasks of the role `analysis`, one method each: two of the machine `reconciler` and three of `gates`, because a
 * session with the role is given all of them. A rejection is a failed attempt, and `signal` ends with its lease.
 */
export interface Analyst {
  /** Compares a guess with what its subject wrote. */
  analyze(question: AnalysisQuestion, signal: AbortSignal): Promise<AnalysisResult>
  /** Words anew what the subject may share. */
  refine(wording: Wording, signal: AbortSignal): Promise<{ content: string }>
  /** What somebody needs, by the own words. */
  needs(words: OwnWords, signal: AbortSignal): Brought<'needs.synthesize'>
  commonGround(shared: SharedNeeds, signal: AbortSignal): Brought<'common_ground.analyze'>
  /** What two people might do about what they have in common. */
  strategies(ground: Ground, signal: AbortSignal): Brought<'strategies.suggest'>
}

/** Why there is no result, for everybody's eyes: the cluster logs it. It never quotes what either side wrote. */
export class AnalystRefusal extends Error {
  override readonly name = 'AnalystRefusal'
}

/** Counts words, and gives the same for the same: for tests, and to see the exchange without a model. */
export const stubAnalyst: Analyst = {
  analyze: async (question) => stubAnalysis(question),
  refine: async (wording) => stubRefinement(wording),
  needs: async () => {
    throw new AnalystRefusal('the stub finds no needs')
  },
  commonGround: async () => ({ items: [] }),
  strategies: async () => ({ strategies: [] }),
}

/** For `session.worker`. An analyst is given words, and neither who wrote them nor in which dialogue. */
export function taskHandlers(analyst: Analyst): Handlers {
  return {
    'reconciler.analyze': ({ statement, subjectStage1, subjectStage2 }, { signal }) =>
      discreet(() => analyst.analyze({ statement, subjectStage1, subjectStage2 }, signal)),
    'share.refine': ({ content, instruction }, { signal }) =>
      discreet(() => analyst.refine({ content, instruction }, signal)),
    'needs.synthesize': ({ events, boundaries, messages }, { signal }) =>
      discreet(() => analyst.needs({ events, boundaries, messages }, signal)),
    'common_ground.analyze': ({ needs }, { signal }) =>
      discreet(() => analyst.commonGround({ needs: needs.map(withSide(needs[0]?.user)) }, signal)),
    'strategies.suggest': ({ count, commonGround, library }, { signal }) =>
      discreet(() => analyst.strategies({ count, commonGround, library }, signal)),
  }
}

const withSide =
  (userA: string | undefined) =>
  ({ consentId, user, category, content }: Given<'common_ground.analyze'>['needs'][number]) => ({
    consentId,
    side: user === userA ? 'A' : 'B',
    category,
    content,
  })

/** What a handler throws is told to the cluster: of an error that is no refusal nobody knows whom it quotes. */
async function discreet<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof AnalystRefusal ? error : new AnalystRefusal('the analyst failed')
  }
}

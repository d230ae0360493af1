import { defineMachine } from '../../machine/define/define-machine.ts'
import { isPerson } from '../session/change/access.ts'
import { confirmAgreement, createAgreement } from './commands/agreement-commands.ts'
import { confirmCommonGround, proposeCommonGround, requestCommonGround } from './commands/common-ground-commands.ts'
import { decideConsent, proposeConsent, revokeConsent } from './commands/consent-commands.ts'
import { onActivated, onAttemptRevealed, onAttemptShared, onClosed, onStageEntered } from './commands/listeners.ts'
import { addNeed, confirmNeeds, shareNeeds } from './commands/needs-commands.ts'
import { retrieve } from './commands/retrieve.ts'
import { advanceStage, confirmFeelHeard, signCompact } from './commands/stage-commands.ts'
import {
  markStrategiesReady,
  proposeStrategy,
  reopenStrategies,
  requestSuggestions,
  submitRanking,
} from './commands/strategy-commands.ts'
import { commonGroundAnalyze, needsSynthesize, strategiesSuggest } from './commands/task-results.ts'
import { recordBoundary, recordEvent, saveEmpathyDraft } from './commands/vessel-commands.ts'
import { gatesSchema, type GatesContext } from './facts/gates-schema.ts'
import { canRetrieve, refusals, retrievals, retrieved, violations } from './queries/contract-queries.ts'
import { agreements, commonGround, overlap, ranking, strategies } from './queries/shared-queries.ts'
import { compactStatus, gatesOf, progress } from './queries/stage-queries.ts'
import { consents, draft, needs, sharedContent, vessel } from './queries/vessel-queries.ts'

/** The stages of two people in a dialogue: gates, consents, and who may read what (domain.md §2). */
export const gates = defineMachine('gates', gatesSchema, {
  commands: {
    signCompact,
    confirmFeelHeard,
    recordEvent,
    recordBoundary,
    saveEmpathyDraft,
    addNeed,
    confirmNeeds,
    shareNeeds,
    requestCommonGround,
    proposeCommonGround,
    confirmCommonGround,
    proposeStrategy,
    requestSuggestions,
    markStrategiesReady,
    submitRanking,
    reopenStrategies,
    createAgreement,
    confirmAgreement,
    advanceStage,
    proposeConsent,
    decideConsent,
    revokeConsent,
    retrieve,
  },
  queries: {
    progress,
    gates: gatesOf,
    compactStatus,
    vessel,
    draft,
    needs,
    commonGround,
    strategies,
    ranking,
    overlap,
    agreements,
    consents,
    sharedContent,
    canRetrieve,
    retrievals,
    retrieved,
    violations,
    refusals,
  },
  tasks: {
    'needs.synthesize': needsSynthesize,
    'common_ground.analyze': commonGroundAnalyze,
    'strategies.suggest': strategiesSuggest,
  },
  on: [onActivated, onClosed, onStageEntered, onAttemptShared, onAttemptRevealed],
  // PERF: one row per person that is here now, so that the partner can see it.
  onSessionCreated: (ctx, { principal }) => countOnline(ctx, principal, 1),
  onSessionExpired: (ctx, { principal }) => countOnline(ctx, principal, -1),
})

function countOnline(ctx: GatesContext, principal: string, change: 1 | -1): void {
  if (!isPerson(principal)) return
  const count = (ctx.state.online.get(principal) ?? 0) + change
  if (count > 0) ctx.state.online.set(principal, count)
  else ctx.state.online.delete(principal)
}

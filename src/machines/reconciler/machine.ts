import { defineMachine } from '../../machine/define/define-machine.ts'
import { consent } from './commands/consent-commands.ts'
import { offerExpiry, validationReminder } from './commands/fire-timers.ts'
import { onClosed, onConsentRevoked, onFeelHeard, onPaused, onResumed } from './commands/listeners.ts'
import { refineOffer, respondOffer, viewOffer } from './commands/offer-commands.ts'
import { resubmit, skipRefinement } from './commands/refine-commands.ts'
import { reconcilerAnalyze, shareRefine } from './commands/task-results.ts'
import { markSeen, validate } from './commands/validate-commands.ts'
import { reconcilerSchema } from './facts/reconciler-schema.ts'
import { audit, status } from './queries/exchange-queries.ts'

/** The exchange of empathy: two guesses, shown to nobody before both are ready (domain.md §4). */
export const reconciler = defineMachine('reconciler', reconcilerSchema, {
  commands: { consent, viewOffer, refineOffer, respondOffer, resubmit, skipRefinement, validate, markSeen },
  queries: { status, audit },
  timers: { 'offer-expiry': offerExpiry, 'validation-reminder': validationReminder },
  tasks: { 'reconciler.analyze': reconcilerAnalyze, 'share.refine': shareRefine },
  on: [onFeelHeard, onConsentRevoked, onPaused, onResumed, onClosed],
})

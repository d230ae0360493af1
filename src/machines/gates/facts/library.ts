import type { Need } from './rows.ts'

/** A small experiment that is not about anybody: what is suggested when people have no idea of their own. */
interface Experiment {
  readonly id: string
  readonly category: Need['category']
  readonly description: string
}

/** The global library (domain.md §2.6, row 28): it holds no user's words by construction. */
export const LIBRARY: readonly Experiment[] = [
  { id: 'lib-1', category: 'SAFETY', description: 'Agree on a word that stops any quarrel for an hour.' },
  { id: 'lib-2', category: 'CONNECTION', description: 'Take a walk of twenty minutes together, twice a week.' },
  { id: 'lib-3', category: 'AUTONOMY', description: 'Each has one evening a week that nobody asks about.' },
  { id: 'lib-4', category: 'RECOGNITION', description: 'Say one thing a day that the other did well.' },
  { id: 'lib-5', category: 'MEANING', description: 'Do one thing this month that matters to both.' },
  { id: 'lib-6', category: 'FAIRNESS', description: 'Write down who does what for a week, and look at it together.' },
]

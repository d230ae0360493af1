import type { Edge } from './transitions.ts'

/** What a diagram needs: transition tables and state graphs both have it. */
export interface Drawable {
  readonly initial: string
  readonly states: readonly string[]
  readonly terminal: readonly string[]
  edges(): readonly Edge[]
}

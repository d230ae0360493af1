/** A broken invariant: what must hold, and the facts that break it. Ends the seed. */
export class Violation extends Error {
  override readonly name = 'Violation'
  readonly invariant: string

  constructor(invariant: string, facts: { readonly [name: string]: unknown }) {
    super(`${invariant}: ${JSON.stringify(facts)}`)
    this.invariant = invariant
  }
}

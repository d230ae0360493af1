/** A step that the specification does not allow: which rule, and what was seen in its place. */
export class NotAllowed extends Error {
  readonly rule: string

  constructor(rule: string, seen: string) {
    super(`${rule}: ${seen}`)
    this.name = 'NotAllowed'
    this.rule = rule
  }
}

/** Fails with that rule unless the condition holds. */
export function allow(condition: boolean, rule: string, seen: () => string): asserts condition {
  if (!condition) throw new NotAllowed(rule, seen())
}

/**
 * Runs `step` for each item, one after the other; `step` calls its `next` once, at once or later. A loop, so that a disk
 * whose completions are synchronous does not grow the stack.
 */
export function inOrder<Item>(
  items: readonly Item[],
  step: (item: Item, next: () => void) => void,
  done: () => void,
): void {
  let at = 0
  let running = false
  let ready = true
  const run = (): void => {
    if (running) return
    running = true
    while (ready) {
      ready = false
      const item = items[at]
      if (at >= items.length) {
        done()
        break
      }
      at += 1
      step(item as Item, next) // at is in range
    }
    running = false
  }
  const next = (): void => {
    ready = true
    run()
  }
  run()
}

/** Closes something once, however often it is asked to; everybody who asked is called back. */
export class Closing {
  private asked: (() => void)[] = []
  private over = false

  /** `close` runs for the first who asks, and says when it is done. */
  ask(done: () => void, close: (closed: () => void) => void): void {
    if (this.over) {
      done()
      return
    }
    this.asked.push(done)
    if (this.asked.length === 1) close(() => this.closed())
  }

  private closed(): void {
    const { asked } = this
    this.over = true
    this.asked = []
    for (const done of asked) done()
  }
}

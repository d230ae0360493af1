/** An election as the log of the node that won it tells. */
export interface Election {
  readonly term: number
  /** Wall clock, ms. */
  readonly at: number
}

/** Elections of a cluster, as its nodes tell them: `onLine` hears what they write. */
export class Elections {
  private readonly seen: Election[] = []
  private wake: () => void = () => undefined

  readonly onLine = (_id: string, line: string): void => {
    const election = electionOf(line)
    if (election === null || this.seen.some(({ term }) => term === election.term)) return
    this.seen.push(election)
    this.wake()
  }

  /** The first election of a term above that one; one call at a time. */
  async above(term: number): Promise<Election> {
    for (;;) {
      const found = this.seen.find((election) => election.term > term)
      if (found !== undefined) return found
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }

  /** The election of a term, where its winner has said so. */
  of(term: number): Election | null {
    return this.seen.find((election) => election.term === term) ?? null
  }
}

/** A line of the log by which a node says that it leads; the first of a term is that of its election. */
function electionOf(line: string): Election | null {
  if (!line.includes('"roleChanged"') || !line.includes('"role":"leader"')) return null
  const { time, term } = JSON.parse(line) as { readonly time: string; readonly term: number }
  return { term, at: Date.parse(time) }
}

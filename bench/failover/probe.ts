import { EtcdWriter } from './etcd-writer.ts'
import { HoldfastWriter } from './holdfast-writer.ts'
import { WriteGap } from './write-gap.ts'

/** What the bench tells its probe, and is told. */
export type ProbeOrder = { readonly kind: 'mark' } | { readonly kind: 'gap' } | { readonly kind: 'end' }
export interface ProbeReport {
  readonly kind: 'ready' | 'marked' | 'gap'
  /** Null while it is not over. */
  readonly gapMs: number | null
  readonly acknowledged: number
  readonly failed: number
}

const BEAT_MS = 2
/**
 * Beats are left out beyond so many writes under way, 200 ms of them: a cluster slower than the beat would never recover, and
 * whoever is there again has no more of them to answer, however long it took.
 */
const WAITING_MAX = 100
/** Acknowledgements follow each other again. */
const QUIET_MS = 50

/** A process of its own, so that nothing else on its loop makes it late: `probe.js holdfast|etcd ENDPOINT…`. */
async function main([kind, ...endpoints]: readonly string[]): Promise<void> {
  const gap = new WriteGap()
  const writer = kind === 'etcd' ? new EtcdWriter(endpoints, gap) : await HoldfastWriter.open(endpoints, gap)
  const report = (said: ProbeReport['kind']): void => {
    const { acknowledged, failed } = gap
    process.send?.({ kind: said, gapMs: gap.since(QUIET_MS), acknowledged, failed } satisfies ProbeReport)
  }
  const beat = setInterval(() => {
    if (gap.waiting >= WAITING_MAX) return
    gap.sent += 1
    writer.write()
  }, BEAT_MS)
  process.on('message', ({ kind: wanted }: ProbeOrder) => {
    if (wanted === 'mark') {
      gap.mark()
      return report('marked')
    }
    if (wanted === 'gap') return report('gap')
    clearInterval(beat)
    writer.close()
    process.disconnect()
  })
  report('ready')
}

await main(process.argv.slice(2))

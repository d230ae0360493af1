import { fetchLimits } from '../../client/operator/limits.ts'
import { asked } from '../sessions/asked.ts'
import { type ListingForm, printListing } from '../terminal/listing.ts'
import { printJson, say } from '../terminal/output.ts'

/** `holdfast limits show`. */
export async function showLimits(endpoints: readonly string[], form: ListingForm): Promise<void> {
  const { limits, initial, index, by } = await asked(fetchLimits(endpoints))
  if (form === 'json') return printJson({ index, limits, initial, by })
  const ofNew = new Map<string, number>(Object.entries(initial))
  printListing(form, {
    name: 'limits',
    lines: Object.entries(limits).map(([name, value]) => ({ name, value, initial: ofNew.get(name) ?? null })),
    columns: { limit: (line) => line.name, value: (line) => line.value, 'of a new cluster': (line) => line.initial },
  })
  say(index === 0 ? 'They are those that the cluster began with.' : `They were changed by entry ${index}.`)
}

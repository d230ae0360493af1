/** The most that a leader is asked for at once. */
const PAGE = 1000

/** Some items, and where those behind them begin; null: there are none. */
export interface Page<Item, After> {
  readonly items: readonly Item[]
  readonly next: After | null
}

/**
 * At most `limit` items of a list that is asked for page by page, and whether there are more. `filtered`: pages may be shorter
 * than what the leader looks at, so that whole ones are asked for.
 */
export async function paged<Item, After>(
  { limit, filtered }: { readonly limit: number; readonly filtered: boolean },
  pageAfter: (after: After | null, limit: number) => Promise<Page<Item, After>>,
): Promise<{ readonly items: readonly Item[]; readonly more: boolean }> {
  const items: Item[] = []
  let after: After | null = null
  do {
    const page: Page<Item, After> = await pageAfter(after, filtered ? PAGE : Math.min(PAGE, limit - items.length))
    items.push(...page.items)
    after = page.next
  } while (after !== null && items.length < limit)
  return { items: items.slice(0, limit), more: after !== null || items.length > limit }
}

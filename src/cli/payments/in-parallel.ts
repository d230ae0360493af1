/**
 * Runs `work` for every item, at most `parallel` at a time, in the items' order of starting. The first failure stops the
 * rest from starting and is thrown when what runs has ended.
 */
export async function inParallel<Item>(
  items: Iterable<Item>,
  parallel: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]()
  let failed: { readonly error: unknown } | null = null
  const lane = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true && failed === null; next = iterator.next()) {
      try {
        await work(next.value)
      } catch (error) {
        failed ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: parallel }, lane))
  const failure = failed as { readonly error: unknown } | null
  if (failure !== null) throw failure.error
}

import { ANSWER_BYTES_MAX } from '../facts/dialogue-bounds.ts'

/** Answers have an end: a page is as many items as fit, and one at least. */

/** Bytes of a text in UTF-8. */
function bytesOf(text: string): number {
  let bytes = 0
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    // Each half of a character beyond the first plane is two of its four bytes.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3
  }
  return bytes
}

/** As many of the items, from the first on, as an answer has room for, and whether that is all of them. */
export function pageOf<Item>(items: readonly Item[]): { readonly page: readonly Item[]; readonly all: boolean } {
  let bytes = 0
  for (const [position, item] of items.entries()) {
    bytes += bytesOf(JSON.stringify(item))
    if (bytes > ANSWER_BYTES_MAX && position > 0) return { page: items.slice(0, position), all: false }
  }
  return { page: items, all: true }
}

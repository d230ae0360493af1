/**
 * Scripts whose pairs of small and capital letters are settled: Latin, Greek, Cyrillic. Which letters of others have two cases
 * depends on the build of Node.js, and a cluster in the middle of an upgrade has two.
 */
const CASED = /[A-Za-z\u00c0-\u052f]+/g

/** As two statements are compared: case of settled scripts, and white space, say nothing (domain.md §4.4). */
export const normalizeStatement = (text: string): string =>
  text
    .trim()
    .replace(CASED, (letters) => letters.toLowerCase())
    .replaceAll(/\s+/g, ' ')

import { defineConfig } from 'vitest/config'

/** `npm test`: every test file, in child processes so that native handles and memory stay apart. */
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})

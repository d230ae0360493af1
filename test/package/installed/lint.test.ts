import { readFileSync } from 'node:fs'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { problemAffectsResolutionKind } from '@arethetypeswrong/core/problems'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { expect, test } from 'vitest'
import { packed } from '../packed.ts'

/**
 * Left out, because a package of ES modules alone has no answer: `node10` does not read `exports`, so that it finds no
 * `holdfast/client`; and under `node16-cjs` a `require` of an ES module is TypeScript's error, though Node.js 20.19 can do it.
 */
const RESOLUTIONS = ['node16-esm', 'bundler'] as const

test('attw: types and modules of the tarball agree, in every resolution that ES modules have', async () => {
  const { tarball } = await packed()
  const found = await checkPackage(createPackageFromTarballData(readFileSync(tarball)))
  if (found.types === false) throw new Error('the tarball has no types')
  expect(Object.keys(found.entrypoints)).toContain('./testing')
  const problems = found.problems.filter((problem) => {
    return RESOLUTIONS.some((resolution) => problemAffectsResolutionKind(problem, resolution, found))
  })
  expect(problems).toEqual([])
})

test('publint: nothing is said of the tarball', async () => {
  const { tarball } = await packed()
  const data = readFileSync(tarball)
  const { messages, pkg } = await publint({
    pack: { tarball: data.buffer.slice(data.byteOffset, data.byteOffset + data.length) },
    strict: true,
  })
  expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([])
})

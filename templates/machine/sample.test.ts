import { machineHarness } from 'holdfast/testing'
import { expect, test } from 'vitest'
import { sample } from './sample.ts'

test('an entry is stored, and one that is too long is refused and changes nothing', () => {
  const ada = machineHarness(sample).session('user:ada')
  const { put } = ada.machines['sample']
  expect(put({ key: 'a', text: 'first' })).toEqual({ kind: 'ok', value: null })
  expect(put({ key: 'a', text: 'x'.repeat(101) })).toMatchObject({ kind: 'rejected', code: 'TOO_LONG' })
  expect(ada.queries['sample'].text('a')).toEqual({ kind: 'ok', value: 'first' })
  expect(ada.requests).toMatchObject([{ type: 'sample.changed', payload: { key: 'a' } }])
})

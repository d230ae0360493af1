import { expect, test } from 'vitest'
import { curveSvg } from '../../bench/growth/curve.ts'

const words = { title: 'a < b', xTitle: 'nodes', yTitle: 'writes' }
const point = (label: string, median: number, min = median, max = median) => ({
  label,
  y: { median, min, max },
})

test('a curve has a dot and a label for each point, at equal distances, and is the same for the same points', () => {
  const points = [point('1', 30_000), point('3', 34_900, 30_000, 36_000), point('5', 20_000)]
  const svg = curveSvg({ ...words, points })
  expect(svg).toBe(curveSvg({ ...words, points }))
  const across = [...svg.matchAll(/<circle cx="([\d.]+)"/g)].map(([, x]) => Number(x))
  expect(across).toHaveLength(3)
  expect((across[1] ?? 0) - (across[0] ?? 0)).toBeCloseTo((across[2] ?? 0) - (across[1] ?? 0), 0)
  expect(svg).toContain('>34.9k</text>')
  expect(svg).toContain('a &lt; b')
})

test('what is larger stands higher, and within the picture', () => {
  const svg = curveSvg({ ...words, points: [point('1', 1), point('2', 999, 0, 1000)] })
  const heights = [...svg.matchAll(/<circle cx="[\d.]+" cy="([\d.]+)"/g)].map(([, y]) => Number(y))
  expect(heights[1]).toBeLessThan(heights[0] ?? 0)
  expect(Math.min(...heights)).toBeGreaterThan(40)
  expect(Math.max(...heights)).toBeLessThanOrEqual(304)
})

test('the axis begins at 0 and has steps of 1, 2 or 5 times a power of ten', () => {
  const steps = (most: number): string[] =>
    [...curveSvg({ ...words, points: [point('1', most)] }).matchAll(/text-anchor="end">([^<]+)</g)].map(
      ([, text]) => text ?? '',
    )
  expect(steps(34_900)).toEqual(['0', '10k', '20k', '30k', '40k'])
  expect(steps(6)).toEqual(['0', '1', '2', '3', '4', '5', '6'])
  expect(steps(0)).toEqual(['0', '0.2', '0.4', '0.6', '0.8', '1'])
})

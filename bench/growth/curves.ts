import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { type Curve, type CurvePoint, curveSvg } from './curve.ts'

const SPREAD = z.object({ median: z.number(), min: z.number(), max: z.number() })
const POINT = z.object({ at: z.number(), perSecond: SPREAD, p99Ms: SPREAD })

/** What the bench `growth` has measured: one curve per axis, of what was asked for. */
export const GROWTH = z.object({
  nodes: z.array(POINT),
  payload: z.array(POINT),
  sessions: z.array(POINT),
})
export type Growth = z.infer<typeof GROWTH>

/** Writes one SVG per axis that was measured into that directory; resolves with the names of the files. */
export function writeCurves(growth: Growth, directory: string): string[] {
  mkdirSync(directory, { recursive: true })
  return curvesOf(growth)
    .filter(({ curve }) => curve.points.length > 0)
    .map(({ name, curve }) => {
      writeFileSync(join(directory, name), curveSvg(curve))
      return name
    })
}

function curvesOf({ nodes, payload, sessions }: Growth): { readonly name: string; readonly curve: Curve }[] {
  const yTitle = 'register writes a second'
  return [
    {
      name: 'growth-nodes.svg',
      curve: { title: 'Writes by nodes', xTitle: 'nodes, all on one machine', yTitle, points: pointsOf(nodes, String) },
    },
    {
      name: 'growth-payload.svg',
      curve: { title: 'Writes by payload', xTitle: 'bytes of a value', yTitle, points: pointsOf(payload, bytesText) },
    },
    {
      name: 'growth-sessions.svg',
      curve: { title: 'Writes by sessions', xTitle: 'open sessions', yTitle, points: pointsOf(sessions, countText) },
    },
  ]
}

function pointsOf(points: Growth['nodes'], label: (at: number) => string): CurvePoint[] {
  return points.map(({ at, perSecond }) => ({ label: label(at), y: perSecond }))
}

const bytesText = (bytes: number): string => (bytes >= 1024 ? `${bytes / 1024} KiB` : `${bytes} B`)
const countText = (count: number): string => count.toLocaleString('en-US')

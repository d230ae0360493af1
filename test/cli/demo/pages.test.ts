import { describe, expect, test } from 'vitest'
import type { Flow } from '../../../src/cli/demo/flow.ts'
import { bookingFlow } from '../../../src/cli/demo/flows/booking-flow.ts'
import { conciergeFlow } from '../../../src/cli/demo/flows/concierge-flow.ts'
import { dialogueFlow } from '../../../src/cli/demo/flows/dialogue-flow.ts'
import { narrate } from '../../../src/cli/demo/narrate.ts'
import type { MachineDefinition } from '../../../src/machine/index.ts'
import { concierge, gates, payments, reconciler, session } from '../../../src/machines/index.ts'
import { blocksOf } from '../../docs/blocks.ts'
import { read } from '../../tidy/tree.ts'
import { playOnHarness } from './harness-sides.ts'

/** What a demo prints between its cast and its end, scene by scene. */
async function scenesOf(flow: Flow, machines: readonly MachineDefinition[]): Promise<string[]> {
  const lines: string[] = []
  await playOnHarness(flow, machines, (seen, shown) => lines.push(narrate(seen, shown)))
  return lines.join('\n').trim().split('\n\n')
}

const textsOf = (page: string): string[] =>
  blocksOf(read(page)).flatMap(({ language, text }) => (language === 'text' ? [text.trimEnd()] : []))

describe('domain.md §0.11 a page has the canonical flow as the demo prints it', () => {
  const dialogue = scenesOf(dialogueFlow({ exchange: true }), [session, gates, reconciler])
  const ofStages = (scene: string): boolean => scene.startsWith('9.')

  test('session.md: steps 1 to 8, and 10', async () => {
    const scenes = (await dialogue).filter((scene) => !ofStages(scene))
    expect(textsOf('docs/machines/session.md')).toContain(scenes.join('\n\n'))
  })

  test('gates.md: step 9', async () => {
    expect(textsOf('docs/machines/gates.md')).toContain((await dialogue).filter(ofStages).join('\n\n'))
  })

  test('payments.md', async () => {
    const scenes = await scenesOf(bookingFlow, [payments])
    expect(textsOf('docs/machines/payments.md')).toContain(scenes.join('\n\n'))
  })

  test('concierge.md', async () => {
    const scenes = await scenesOf(conciergeFlow, [concierge])
    expect(textsOf('docs/machines/concierge.md')).toContain(scenes.join('\n\n'))
  })

  test('README.md: how a payment that is told three times counts once', async () => {
    const scenes = await scenesOf(bookingFlow, [payments])
    expect(textsOf('README.md')).toContain(scenes.find((scene) => scene.startsWith('5.')))
  })
})

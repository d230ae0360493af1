import { describe, expect, test } from 'vitest'
import { decideOffer, reconciler, stubAnalysis, stubRefinement } from '../../../../src/machines/index.ts'

const { result } = reconciler.schema.tasks['reconciler.analyze']
const words = (...texts: readonly string[]) => texts.map((text, seq) => ({ seq, text }))

describe('domain.md §4.2 a worker without a model', () => {
  test.each([
    ['nothing to compare with', 'you feel alone', [], 100, 'PROCEED'],
    ['all of it', 'Tired and alone you were', ['tired, alone'], 100, 'PROCEED'],
    ['half of it', 'tired', ['tired, alone'], 50, 'OFFER_OPTIONAL'],
    ['none of it', 'happy', ['tired, alone'], 0, 'OFFER_SHARING'],
    ['nothing that is said', 'happy', ['   '], 100, 'PROCEED'],
  ] as const)('%s', (_name, statement, texts, score, action) => {
    const found = stubAnalysis({ statement, subjectStage1: words(...texts) })
    expect(found).toMatchObject({ score, action })
    expect(result.parse(found)).toEqual(found)
    expect(decideOffer(found.action, found.focus)).toBe(action !== 'PROCEED')
    expect(stubAnalysis({ statement, subjectStage1: words(...texts) })).toEqual(found)
  })

  test('guidance holds none of the subject’s words, and the latest message is what is offered', () => {
    const found = stubAnalysis({ statement: 'happy', subjectStage1: words('tired'), subjectStage2: words('ashamed') })
    expect(JSON.stringify(found.guidance)).not.toMatch(/tired|ashamed/)
    expect(found.suggestion?.content).toBe('ashamed')
  })

  test.each([
    ['I was ill. It was bad.', 'I was ill.'],
    ['ill', 'ill'],
    ['...', '...'],
  ])('of %j the first sentence is kept', (content, kept) => {
    expect(stubRefinement({ content })).toEqual({ content: kept })
  })
})

import { describe, expect, test } from 'vitest'
import { JoiningWriter } from '../../src/grpc/joining-writer.ts'

interface Put {
  readonly text: string
  readonly taken: () => void
}

function scripted(): { puts: Put[]; writer: JoiningWriter; send: (text: string) => void; written: string[] } {
  const puts: Put[] = []
  const written: string[] = []
  const writer = new JoiningWriter((message, taken) => puts.push({ text: message.toString(), taken }))
  return { puts, writer, written, send: (text) => writer.write(Buffer.from(text), () => written.push(text)) }
}

describe('messages on one stream', () => {
  test('leave at once while nothing is under way', () => {
    const { puts, send, written } = scripted()
    send('a')
    puts[0]?.taken()
    send('b')
    expect(puts.map(({ text }) => text)).toEqual(['a', 'b'])
    expect(written).toEqual(['a'])
  })

  test('are joined, in order, while one is under way, and each is told when it was taken', () => {
    const { puts, send, written } = scripted()
    for (const text of ['a', 'b', 'c', 'd']) send(text)
    expect(puts.map(({ text }) => text)).toEqual(['a'])
    puts[0]?.taken()
    expect(puts.map(({ text }) => text)).toEqual(['a', 'bcd'])
    expect(written).toEqual(['a'])
    send('e')
    puts[1]?.taken()
    expect(written).toEqual(['a', 'b', 'c', 'd'])
    expect(puts[2]?.text).toBe('e')
  })

  test('are joined up to a bound; one that is larger goes alone', () => {
    const { puts, send } = scripted()
    const large = 'x'.repeat(700_000)
    const huge = 'y'.repeat(2_000_000)
    for (const text of ['a', large, large, huge, 'b']) send(text)
    for (let at = 0; at < puts.length; at += 1) puts[at]?.taken()
    expect(puts.map(({ text }) => text.length)).toEqual([1, 700_000, 700_000, 2_000_000, 1])
  })

  test('what is said from within a callback is joined, too', () => {
    const { puts, writer, send } = scripted()
    writer.write(Buffer.from('a'), () => {
      send('b')
      send('c')
    })
    puts[0]?.taken()
    expect(puts.map(({ text }) => text)).toEqual(['a', 'b'])
    puts[1]?.taken()
    expect(puts.map(({ text }) => text)).toEqual(['a', 'b', 'c'])
  })

  test('are all on the stream after a flush, behind the one under way', () => {
    const { puts, writer, send } = scripted()
    for (const text of ['a', 'b', 'c']) send(text)
    writer.flush()
    expect(puts.map(({ text }) => text)).toEqual(['a', 'bc'])
    puts[0]?.taken()
    puts[1]?.taken()
    expect(puts).toHaveLength(2)
  })
})

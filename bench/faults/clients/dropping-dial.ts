import type { Random } from '../../../src/base/random.ts'
import type { Channel, Dial } from '../../../src/client/connection/ports.ts'

/** Frames smaller than this are keep-alive and the like; to lose them is to lose nothing. */
const ANSWER_BYTES_MIN = 24

/**
 * A way to dial on which a share of what nodes answer is lost, and the connection with it: whoever waits has to ask again, on
 * another connection and perhaps of another node, for something that was done already.
 */
export function droppingDial(
  dial: Dial,
  random: Random,
  options: { readonly share: number; readonly after: number },
): Dial {
  return (endpoint, listener) => {
    let heard = 0
    let gone = false
    let channel: Channel | null = null
    const drop = (): void => {
      gone = true
      channel?.close()
      listener.onClosed('DROPPED', 'the bench has lost an answer')
    }
    channel = dial(endpoint, {
      onFrame: (frame) => {
        if (gone) return
        heard += 1
        // The first frames greet and attach: one that loses these as well would hardly ever get anywhere.
        if (heard > options.after && frame.length >= ANSWER_BYTES_MIN && random.chance(options.share)) drop()
        else listener.onFrame(frame)
      },
      onClosed: (code, message) => {
        if (!gone) listener.onClosed(code, message)
        gone = true
      },
    })
    if (gone) channel.close()
    return channel
  }
}

import { cpus, loadavg } from 'node:os'
import { printJson, say, withCommas } from '../../src/cli/terminal/output.ts'
import { measureFloor } from '../floor.ts'
import { inScratch } from '../scratch.ts'
import { type CallbackLoad, callbackPairs } from './callback-pairs.ts'

export interface CallbacksFlags extends CallbackLoad {
  readonly json: boolean
}

/** Payment callbacks per second beside its peers. True unless a callback was not applied, which rejects. */
export async function callbacks({ json, ...load }: CallbacksFlags): Promise<boolean> {
  return inScratch(async (directory, ended) => {
    const floor = await measureFloor(directory)
    const { holdfast, peers } = await callbackPairs(directory, ended, load)
    const machine = {
      cpus: cpus().length,
      model: cpus()[0]?.model ?? 'unknown',
      node: process.version,
      load: loadavg()[0],
    }
    if (json) printJson({ holdfast, ...peers, pairs: load.pairs, floor, machine })
    for (const [name, peer] of json ? [] : Object.entries(peers)) {
      const { median } = holdfast.perSecond
      if ('skipped' in peer) say(`${name}: skipped, ${peer.skipped}`)
      else
        say(
          `${withCommas(median)}/s beside ${withCommas(peer.perSecond.median)}/s of ${peer.version}: ${peer.ratio.median} times ` +
            `as many (${peer.ratio.min} to ${peer.ratio.max} in ${load.pairs} pairs)`,
        )
    }
    return true
  })
}

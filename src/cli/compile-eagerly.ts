import { setFlagsFromString } from 'node:v8'

/**
 * From now on what this process loads is compiled as it is loaded, and stays compiled. V8 compiles a function when it is first
 * called otherwise, and forgets it when it was not called for long: a node that is elected calls most of what a leader does
 * for the first time in its life, while all clients wait for that. PERF: 8 to 10 ms of a failover's 60, for 0.1 to 0.2 s of a
 * node's start and 9 MB.
 */
export function compileEagerly(): void {
  setFlagsFromString('--no-lazy')
  setFlagsFromString('--no-flush-bytecode')
}

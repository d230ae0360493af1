/**
 * Plain data, the only thing that machines store, emit and return (machines.md §1): null, boolean, finite number (no −0;
 * integers to ±(2^53−1)), string (well-formed UTF-16), bytes, array, plain object; at most 32 deep (what wraps it may
 * add 8).
 */
export type Value = null | boolean | number | string | Uint8Array | readonly Value[] | { readonly [key: string]: Value }
